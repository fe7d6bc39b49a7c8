"""EC2 in the stacks of MiniStack: what a template says of EC2 is made in moto, where DescribeRouteTables sees it.

Used by emulator.py alone. MiniStack 1.4.21 has an EC2 of its own, which nothing else of the local AWS asks; instances it does
not make in stacks at all. So are the roles of instances, with their profiles: EC2 asks for them where it is.
Limit: the types and properties that live/build/template.ts uses; others are refused. The endpoint is read from the file that
VIPSHIFT_LAB_EC2 names when a stack first needs it: both emulators start at once, each on a port of its own.
"""

import base64
import json
import os
from functools import cache


def client(service):
    from ministack.core.responses import get_account_id, get_region

    return client_of(service, get_region(), get_account_id())


@cache
def client_of(service, region, account):
    import boto3

    with open(os.environ["VIPSHIFT_LAB_EC2"], encoding="utf-8") as file:
        endpoint = file.read()
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="local",
    )


def tags_of(props, stack_name):
    """A stack's tags are those of everything in it."""
    from ministack.services.cloudformation import _stacks

    both = _stacks[stack_name]["Tags"] + props.get("Tags", [])
    return [{"Key": tag["Key"], "Value": tag["Value"]} for tag in both]


def tagged(kind, props, stack_name):
    return [{"ResourceType": kind, "Tags": tags_of(props, stack_name)}]


def plain(kind, call, names):
    """A resource that one call makes and another removes, with properties that are named as the call's parameters are."""
    thing = "".join(word.capitalize() for word in call.split("_"))

    def create(_logical_id, props, stack_name):
        given = {name: props[name] for name in names if name in props}
        made = getattr(client("ec2"), f"create_{call}")(TagSpecifications=tagged(kind, props, stack_name), **given)
        made_id = made[thing][f"{thing}Id"]
        return made_id, {f"{thing}Id": made_id}

    def delete(made_id, _props):
        getattr(client("ec2"), f"delete_{call}")(**{f"{thing}Id": made_id})

    return create, delete


def attach(_logical_id, props, _stack_name):
    client("ec2").attach_internet_gateway(**props)
    return f"IGW|{props['VpcId']}", {}


def detach(_made_id, props):
    client("ec2").detach_internet_gateway(**props)


def create_route(_logical_id, props, _stack_name):
    client("ec2").create_route(**props)
    return f"{props['RouteTableId']}|{props['DestinationCidrBlock']}", {}


def delete_route(_made_id, props):
    client("ec2").delete_route(RouteTableId=props["RouteTableId"], DestinationCidrBlock=props["DestinationCidrBlock"])


def associate(_logical_id, props, _stack_name):
    return client("ec2").associate_route_table(**props)["AssociationId"], {}


def disassociate(made_id, _props):
    client("ec2").disassociate_route_table(AssociationId=made_id)


def create_group(logical_id, props, stack_name):
    ec2 = client("ec2")
    made_id = ec2.create_security_group(
        GroupName=f"{stack_name}-{logical_id}",
        Description=props["GroupDescription"],
        VpcId=props["VpcId"],
        TagSpecifications=tagged("security-group", props, stack_name),
    )["GroupId"]
    rules = [
        {"IpRanges": [{"CidrIp": rule["CidrIp"]}], **{name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort")}}
        for rule in props["SecurityGroupIngress"]
    ]
    or_undo(
        lambda: ec2.authorize_security_group_ingress(GroupId=made_id, IpPermissions=rules),
        lambda: delete_group(made_id, props),
    )
    return made_id, {"GroupId": made_id}


def delete_group(made_id, _props):
    client("ec2").delete_security_group(GroupId=made_id)


# By id, the data of the launch templates: moto applies only a part of it.
TEMPLATES = {}


def create_template(logical_id, props, stack_name):
    made = client("ec2").create_launch_template(
        LaunchTemplateName=f"{stack_name}-{logical_id}",
        LaunchTemplateData=props["LaunchTemplateData"],
        TagSpecifications=tagged("launch-template", props, stack_name),
    )
    made_id = made["LaunchTemplate"]["LaunchTemplateId"]
    TEMPLATES[made_id] = props["LaunchTemplateData"]
    return made_id, {"LatestVersionNumber": "1"}


def delete_template(made_id, _props):
    client("ec2").delete_launch_template(LaunchTemplateId=made_id)


def create_instance(_logical_id, props, stack_name):
    ec2 = client("ec2")
    template = dict(TEMPLATES[props["LaunchTemplate"]["LaunchTemplateId"]])
    own = tags_of(props, stack_name)
    of_volumes = [{"ResourceType": "volume", "Tags": own}] if props.get("PropagateTagsToVolumeOnCreation") else []
    [of_eni] = template.pop("TagSpecifications")
    nics = [
        {**nic, "DeviceIndex": int(nic["DeviceIndex"]), "Groups": nic["GroupSet"]} for nic in props["NetworkInterfaces"]
    ]
    for nic in nics:
        del nic["GroupSet"]
    [instance] = ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        # boto3 encodes it.
        UserData=base64.b64decode(props["UserData"]),
        NetworkInterfaces=nics,
        TagSpecifications=[{"ResourceType": "instance", "Tags": own}, *of_volumes],
        **template,
    )["Instances"]
    made_id = instance["InstanceId"]
    eni = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]

    def finish():
        # moto does neither at the launch.
        ec2.create_tags(Resources=[eni], Tags=of_eni["Tags"])
        check = {"Value": props.get("SourceDestCheck", True)}
        ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck=check)

    or_undo(finish, lambda: delete_instance(made_id, props))
    return made_id, {"AvailabilityZone": instance["Placement"]["AvailabilityZone"]}


def delete_instance(made_id, _props):
    client("ec2").terminate_instances(InstanceIds=[made_id])


def create_role(logical_id, props, stack_name):
    iam = client("iam")
    name = f"{stack_name}-{logical_id}"
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(props["AssumeRolePolicyDocument"]),
        Tags=tags_of(props, stack_name),
    )["Role"]

    def finish():
        for policy in props.get("Policies", []):
            document = json.dumps(policy["PolicyDocument"])
            iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)

    or_undo(finish, lambda: delete_role(name, props))
    return name, {"Arn": role["Arn"], "RoleId": role["RoleId"]}


def delete_role(name, props):
    iam = client("iam")
    for policy in props.get("Policies", []):
        if_there(lambda policy=policy: iam.delete_role_policy(RoleName=name, PolicyName=policy["PolicyName"]))
    iam.delete_role(RoleName=name)


def create_profile(logical_id, props, stack_name):
    iam = client("iam")
    name = f"{stack_name}-{logical_id}"
    iam.create_instance_profile(InstanceProfileName=name, Tags=tags_of(props, stack_name))
    [role] = props["Roles"]
    or_undo(
        lambda: iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role),
        lambda: delete_profile(name, props),
    )
    return name, {}


def delete_profile(name, _props):
    iam = client("iam")
    for role in iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role["RoleName"])
    iam.delete_instance_profile(InstanceProfileName=name)


def or_undo(work, undo):
    """What a resource needs after it was made; where that fails, it is not made."""
    try:
        work()
    except Exception:
        undo()
        raise


def if_there(delete):
    """A resource that is gone already is no failure of a deletion."""
    from botocore.exceptions import ClientError

    try:
        delete()
    except ClientError as error:
        code = error.response["Error"]["Code"].removesuffix("Exception")
        if not code.endswith(("NotFound", "NotAttached", "NoSuchEntity")):
            raise


KINDS = {
    "AWS::EC2::VPC": plain("vpc", "vpc", ["CidrBlock"]),
    "AWS::EC2::InternetGateway": plain("internet-gateway", "internet_gateway", []),
    "AWS::EC2::VPCGatewayAttachment": (attach, detach),
    "AWS::EC2::Subnet": plain("subnet", "subnet", ["VpcId", "CidrBlock", "AvailabilityZone"]),
    "AWS::EC2::RouteTable": plain("route-table", "route_table", ["VpcId"]),
    "AWS::EC2::Route": (create_route, delete_route),
    "AWS::EC2::SubnetRouteTableAssociation": (associate, disassociate),
    "AWS::EC2::SecurityGroup": (create_group, delete_group),
    "AWS::EC2::LaunchTemplate": (create_template, delete_template),
    "AWS::EC2::Instance": (create_instance, delete_instance),
    "AWS::IAM::InstanceProfile": (create_profile, delete_profile),
}


def is_of_instances(props):
    return "ec2.amazonaws.com" in json.dumps(props.get("AssumeRolePolicyDocument"))


def apply():
    from ministack.services.cloudformation import provisioners, stacks

    known = provisioners._RESOURCE_HANDLERS
    for kind, (create, delete) in KINDS.items():
        known[kind] = {"create": create, "delete": lambda made, props, delete=delete: if_there(lambda: delete(made, props))}
    others = known["AWS::IAM::Role"]

    def role(logical_id, props, stack_name):
        return (create_role if is_of_instances(props) else others["create"])(logical_id, props, stack_name)

    def no_role(name, props):
        if is_of_instances(props):
            if_there(lambda: delete_role(name, props))
        else:
            others["delete"](name, props)

    known["AWS::IAM::Role"] = {**others, "create": role, "delete": no_role}

    # They wait for another process: not on the thread that answers calls.
    is_custom = stacks._is_custom_resource
    stacks._is_custom_resource = lambda kind: kind in KINDS or kind == "AWS::IAM::Role" or is_custom(kind)
