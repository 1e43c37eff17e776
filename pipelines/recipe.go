package pipelines

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// Bake says how images are made, besides what they are made of. Zero values stand for the defaults.
type Bake struct {
	// RootDevice is the base image's root device. Optional; /dev/xvda, which is Amazon Linux's. Red Hat's is /dev/sda1.
	RootDevice string `json:"rootDevice,omitempty"`
	// VolumeGiB is the root volume's size. Optional; 16.
	VolumeGiB int `json:"volumeGiB,omitempty"`
	// Key is the ARN of the KMS key that encrypts the image. Optional; the account's default key for EBS, with which every
	// environment of the account can start what another has baked, for as long as the account exists. A key of one environment would
	// not do: a promoted image outlives the environment that it was baked in. Another key's policy must let EC2 and the service-linked
	// role AWSServiceRoleForAutoScaling of every account use it (Amazon EC2 Auto Scaling User Guide, "Required AWS KMS key policy").
	Key string `json:"key,omitempty"`
	// Accounts are other accounts that may start instances from the image. Optional; none. They need a Key: what an account's default
	// key encrypts cannot be shared.
	Accounts []string `json:"accounts,omitempty"`
	// InstanceTypes are what images are baked on; Image Builder takes one that is available. Optional; t3.medium and its like.
	InstanceTypes []string `json:"instanceTypes,omitempty"`
	// Subnet and SecurityGroup are where images are baked: they need a way to S3, Systems Manager and whatever the setup fetches.
	// Optional, both or none; the default VPC.
	Subnet        string `json:"subnet,omitempty"`
	SecurityGroup string `json:"securityGroup,omitempty"`
	// Scan has Amazon Inspector look for known vulnerabilities in each new image. Optional; Inspector must be active in the account,
	// else Image Builder refuses the pipeline.
	Scan bool `json:"scan,omitempty"`
}

// Types are the instance types that images are baked on.
func (b Bake) Types() []string {
	if len(b.InstanceTypes) > 0 {
		return b.InstanceTypes
	}
	return []string{"t3.medium", "t3a.medium", "m5.large"}
}

// Recipe is all that decides the content of an image recipe, besides its component.
type Recipe struct {
	ParentImage string
	RootDevice  string
	VolumeGiB   int
	Key         string
}

// Recipe returns the environment's recipe.
func (f Facts) Recipe() Recipe {
	return Recipe{
		ParentImage: f.BaseImage, RootDevice: cmp.Or(f.Bake.RootDevice, "/dev/xvda"), VolumeGiB: cmp.Or(f.Bake.VolumeGiB, 16), Key: f.Bake.Key,
	}
}

// BakeVersion is the version of the component document and of the recipe: a hash of all that goes into them. Both are immutable
// in Image Builder, so that a changed content needs a new version (terraform-provider-aws#40037). It is the same in every
// environment whose images are made in the same way: an image that was baked for one may be promoted to the next.
func (f Facts) BakeVersion() string {
	f.Environment = ""
	// A Recipe holds strings and numbers, which always marshal.
	recipe, _ := json.Marshal(f.Recipe())
	sum := sha256.Sum256([]byte(BakeDocument(f) + "\x00" + string(recipe)))
	// Each part of a version is below 2^30 (EC2 Image Builder API reference, semanticVersion).
	part := func(at int) uint32 { return binary.BigEndian.Uint32(sum[at:]) >> 2 }
	return fmt.Sprintf("1.%d.%d", part(0), part(4))
}
