package environments

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tekpossible/ha-devops/pipelines"
)

var (
	version       = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)
	device        = regexp.MustCompile(`^/dev/[a-z0-9]+$`)
	instanceType  = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	subnet        = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
	securityGroup = regexp.MustCompile(`^sg-[0-9a-f]{8,17}$`)
)

// providersOfTheProgram are the plugins without which it does not run.
var providersOfTheProgram = []string{"aws", "github"}

// checkPlugins wants all plugins or none: with some pinned, no other is fetched.
func checkPlugins(plugins []pipelines.Plugin, check func(ok bool, key, value, allowed string)) {
	var given []string
	for i, p := range plugins {
		key := fmt.Sprintf("plugins[%d]", i)
		check(version.MatchString(p.Version), key+".version", p.Version, `a version without a v such as "6.83.2"`)
		checkTool(key, p.Tool, check)
		given = append(given, p.Name)
	}
	slices.Sort(given)
	check(len(given) == 0 || slices.Equal(given, providersOfTheProgram), "plugins", strings.Join(given, ", "),
		"one each of "+strings.Join(providersOfTheProgram, ", ")+", or none")
}

func checkBake(b pipelines.Bake, check func(ok bool, key, value, allowed string)) {
	optional := func(pattern *regexp.Regexp, key, value, allowed string) {
		check(value == "" || pattern.MatchString(value), "bake."+key, value, allowed)
	}
	optional(device, "rootDevice", b.RootDevice, `the base image's root device such as "/dev/xvda"`)
	optional(subnet, "subnet", b.Subnet, "the ID of a subnet")
	optional(securityGroup, "securityGroup", b.SecurityGroup, "the ID of a security group")
	check((b.Subnet == "") == (b.SecurityGroup == ""), "bake.subnet", b.Subnet, "a subnet with a securityGroup, or neither")
	check(b.VolumeGiB == 0 || b.VolumeGiB >= 8 && b.VolumeGiB <= 1024, "bake.volumeGiB", fmt.Sprint(b.VolumeGiB), "8 to 1024")
	for _, t := range b.InstanceTypes {
		check(instanceType.MatchString(t), "bake.instanceTypes", t, `instance types such as "t3.medium"`)
	}
	for _, a := range b.Accounts {
		check(account.MatchString(a), "bake.accounts", a, "the 12 digits of AWS account IDs")
	}
	check(len(b.Accounts) == 0 || b.Key != "", "bake.accounts", strings.Join(b.Accounts, ", "),
		"none without bake.key: what the account's default key encrypts cannot be shared")
}
