"""Where moto 5.2.5 differs from EC2 in a way that our tests would feel: where an Elastic IP lies, and what is scheduled for instances.

EC2 associates an Elastic IP with one private address of an ENI, shows it there, and throws off the one that was there before.
moto remembers the ENI alone, shows nothing at its addresses, and lets any number lie on one.

moto knows no scheduled event. Here an instance has those of its tag `lab:scheduled`, `code/date/description` each, a semicolon between.

Used by emulator.py alone. What has moved in a newer moto fails the start instead of being skipped.
"""


def scheduled_for(instance):
    from datetime import datetime

    text = {tag["key"]: tag["value"] for tag in instance.get_tags()}.get("lab:scheduled", "")
    events = [one.split("/", 2) for one in text.split(";") if one]
    return [
        {"Code": code, "Description": description, "NotBefore": datetime.fromisoformat(date)}
        for code, date, description in events
    ]


def know_scheduled_events():
    from moto.core.responses import ActionResult
    from moto.ec2.responses.instances import InstanceResponse

    answer = InstanceResponse.describe_instance_status

    def describe_instance_status(self):
        codes = self._filters_from_querystring().get("event.code")
        if codes is None:
            return answer(self)
        running = self.ec2_backend.describe_instance_status([], False, [])
        found = [(one.id, [e for e in scheduled_for(one) if e["Code"] in codes]) for one in running]
        statuses = [{"InstanceId": instance, "Events": events} for instance, events in found if events]
        return ActionResult({"InstanceStatuses": statuses})

    InstanceResponse.describe_instance_status = describe_instance_status


def apply():
    know_scheduled_events()
    from moto.core.responses import ActionResult
    from moto.ec2.models.elastic_ip_addresses import ElasticAddress, ElasticAddressBackend
    from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses

    answer = ElasticIPAddresses.associate_address
    disassociate = ElasticAddressBackend.disassociate_address

    def place_of(self):
        if not self.eni:
            return None
        return getattr(self, "place", None) or self.eni.private_ip_address

    ElasticAddress.private_ip_address = property(place_of)

    def show(backend, eni):
        for item in eni.private_ip_addresses:
            item.pop("Association", None)
            for eip in backend.addresses:
                if eip.eni is eni and place_of(eip) == item["PrivateIpAddress"]:
                    item["Association"] = {
                        "allocationId": eip.allocation_id,
                        "associationId": eip.association_id,
                        "publicIp": eip.public_ip,
                    }

    def associate_address(self):
        backend = self.ec2_backend
        before = {id(eip): eip.eni for eip in backend.addresses}
        association = answer(self).result["AssociationId"]
        (eip,) = [one for one in backend.addresses if one.association_id == association]
        eip.place = self._get_param("PrivateIpAddress") or eip.eni.private_ip_address
        for other in backend.addresses:
            if other is not eip and other.eni is eip.eni and place_of(other) == place_of(eip):
                other.instance = other.eni = other.association_id = other.place = None
        for eni in {id(one): one for one in (before[id(eip)], eip.eni) if one}.values():
            show(backend, eni)
        return ActionResult({"AssociationId": association})

    def disassociate_address(self, address=None, association_id=None):
        enis = [eip.eni for eip in self.addresses if eip.eni]
        disassociate(self, address, association_id)
        for eni in enis:
            show(self, eni)

    ElasticIPAddresses.associate_address = associate_address
    ElasticAddressBackend.disassociate_address = disassociate_address
