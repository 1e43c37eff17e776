# What rules share.
package lib

unknown := "[unknown]"

secret := "[secret]"

# Types that the AWS provider knows under several names.
load_balancers := elb("loadBalancer:LoadBalancer")

listeners := elb("listener:Listener")

target_groups := elb("targetGroup:TargetGroup")

elb(type) := {sprintf("aws:%s/%s", [module, type]) |
	some module in ["lb", "alb", "elasticloadbalancingv2", "applicationloadbalancing"]
}

buckets := {"aws:s3/bucketV2:BucketV2", "aws:s3/bucket:Bucket"}

# The resources of some types that the program wants.
made(types) := [r |
	some r in input.resources
	r.type in types
	r.after
]

# A resource on which something was found.
finding(r, message) := {"resource": r.urn, "message": message}

# The URNs that a property depends on, such as the bucket that a bucket's settings are for.
depends(r, property) := {urn | some urn in object.get(r, ["dependencies", property], [])}

# What is at a path, or a default: also when what should hold it is no object, because it is not known.
get(value, path, otherwise) := object.get(value, path, otherwise) if {
	is_object(value)
} else := otherwise

# A property as a list: itself when it is one, nothing when it is not there, else what stands in its place.
list(r, path) := [] if {
	absent(r, path)
} else := value if {
	value := get(r, path, null)
	is_array(value)
} else := [get(r, path, null)]

# A property is not there, null or empty.
absent(r, path) if get(r, path, null) in {null, ""}

# A property is true; launch templates say so in words.
is_true(r, path) if get(r, path, false) in {true, "true"}

# A property is false or not there.
is_false(r, path) if get(r, path, false) in {false, "false", null}

# A property as a message shows it.
shown(r, path) := "not set" if {
	absent(r, path)
} else := sprintf("%v", [get(r, path, null)])

# A network that is everybody, or so large that it may as well be: two networks of /1 are everybody too. So is one that is not known.
everybody(cidr) if not narrow(cidr)

narrow(cidr) if {
	is_string(cidr)
	regex.match(`^[0-9a-fA-F.:]+/[0-9]{1,3}$`, cidr)
	to_number(split(cidr, "/")[1]) >= 8
}

# The statements of a policy document.
statements(text) := [s |
	is_document(text)
	document := json.unmarshal(text)
	some s in flat(document.Statement)
]

is_document(text) if {
	is_string(text)
	json.is_valid(text)
}

# An element of a policy, where one value may stand for a list of one.
flat(value) := value if {
	is_array(value)
} else := [value]
