"""Where moto 5.2.5 differs from EC2 in a way that our tests would feel: where an Elastic IP lies.

EC2 associates an Elastic IP with one private address of an ENI, shows it there, and throws off the one that was there before.
moto remembers the ENI alone, shows nothing at its addresses, and lets any number lie on one.

Used by emulator.py alone. What has moved in a newer moto fails the start instead of being skipped.
"""


def apply():
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
