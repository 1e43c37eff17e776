package awssim

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// surroundings are what an account is like beside what the stacks make in it, and what may be wrong with it. The zero value is a new
// account: nothing is used, denied or expired.
type surroundings struct {
	mu           sync.Mutex
	buckets      map[string]BucketSettings
	connections  map[string]Connection  // by ARN
	certificates map[string]Certificate // by ARN
	networks     map[string]map[string]string
	addresses    map[string]bool // by allocation ID
	keys         map[string]Key  // by ARN
	quotas       map[string]float64
	regions      map[string]string
	denied       map[string]bool
	expired      bool
}

// set changes a map of the surroundings, which it makes when it is the first entry.
func set[K comparable, V any](s *surroundings, in *map[K]V, key K, value V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *in == nil {
		*in = map[K]V{}
	}
	(*in)[key] = value
}

// drop takes an entry out of a map of the surroundings.
func drop[K comparable, V any](s *surroundings, from *map[K]V, key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(*from, key)
}

// all is a copy of a map of the surroundings.
func all[K comparable, V any](s *surroundings, of *map[K]V) map[K]V {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(*of)
}

// PutNetwork makes a VPC with an ID and tags.
func (a *Account) PutNetwork(id string, tags map[string]string) {
	set(&a.around, &a.around.networks, id, tags)
}

// DeleteNetwork deletes a VPC.
func (a *Account) DeleteNetwork(id string) { drop(&a.around, &a.around.networks, id) }

// PutAddress allocates an Elastic IP address with an ID.
func (a *Account) PutAddress(id string) { set(&a.around, &a.around.addresses, id, true) }

// DeleteAddress releases an Elastic IP address.
func (a *Account) DeleteAddress(id string) { drop(&a.around, &a.around.addresses, id) }

// SetQuota sets a quota by its code; every other is 5.
func (a *Account) SetQuota(code string, value float64) { set(&a.around, &a.around.quotas, code, value) }

// SetRegion adds a region with its opt-in status; the account's own needs none.
func (a *Account) SetRegion(name, optIn string) { set(&a.around, &a.around.regions, name, optIn) }

// Deny lets nobody call an action of EC2, KMS or Secrets Manager any more, such as "ec2:CreateVpc".
func (a *Account) Deny(action string) { set(&a.around, &a.around.denied, action, true) }

// Expire makes every credential one that has expired.
func (a *Account) Expire() {
	a.around.mu.Lock()
	defer a.around.mu.Unlock()
	a.around.expired = true
}

func (a *Account) isDenied(action string) bool {
	a.around.mu.Lock()
	defer a.around.mu.Unlock()
	return a.around.denied[action]
}

// refuseExpired is the answer to credentials that have expired, nil to others; each service has a word of its own for it.
func (a *Account) refuseExpired(service string) error {
	a.around.mu.Lock()
	defer a.around.mu.Unlock()
	if !a.around.expired {
		return nil
	}
	code := "ExpiredTokenException"
	switch service {
	case "s3", "sts":
		code = "ExpiredToken"
	case "ec2":
		code = "RequestExpired"
	}
	return &apiError{http.StatusForbidden, code, "The security token included in the request is expired"}
}

// surroundingActions are those of EC2 about networks, addresses and regions.
func (a *Account) surroundingActions() map[string]queryAction {
	return map[string]queryAction{
		"DescribeVpcs": a.describeVpcs, "DescribeAddresses": a.describeAddresses, "DescribeRegions": a.describeRegions, "CreateVpc": a.createVpc,
	}
}

func (a *Account) describeVpcs(form url.Values) (any, error) {
	type vpc struct {
		ID   string        `xml:"vpcId"`
		Tags items[tagXML] `xml:"tagSet"`
	}
	var out struct {
		VPCs items[vpc] `xml:"vpcSet"`
	}
	a.around.mu.Lock()
	defer a.around.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(a.around.networks)) {
		found := vpc{ID: id}
		for _, key := range slices.Sorted(maps.Keys(a.around.networks[id])) {
			found.Tags.Items = append(found.Tags.Items, tagXML{key, a.around.networks[id][key]})
		}
		out.VPCs.Items = append(out.VPCs.Items, found)
	}
	return out, taught(form)
}

func (a *Account) describeAddresses(form url.Values) (any, error) {
	type address struct {
		ID string `xml:"allocationId"`
	}
	var out struct {
		Addresses items[address] `xml:"addressesSet"`
	}
	a.around.mu.Lock()
	defer a.around.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(a.around.addresses)) {
		out.Addresses.Items = append(out.Addresses.Items, address{id})
	}
	return out, taught(form)
}

func (a *Account) describeRegions(form url.Values) (any, error) {
	type region struct {
		Name  string `xml:"regionName"`
		OptIn string `xml:"optInStatus"`
	}
	var out struct {
		Regions items[region] `xml:"regionInfo"`
	}
	a.around.mu.Lock()
	defer a.around.mu.Unlock()
	for _, name := range list(form, "RegionName") {
		status, ok := a.around.regions[name]
		switch {
		case ok:
		case name == a.opts.Region:
			status = "opt-in-not-required"
		default:
			return nil, refuse("InvalidParameterValue", "Invalid region names: [%s]", name)
		}
		if status != "not-opted-in" || form.Get("AllRegions") == "true" {
			out.Regions.Items = append(out.Regions.Items, region{name, status})
		}
	}
	return out, taught(form, "RegionName", "AllRegions")
}

// createVpc only says what would happen: networks are made through the provider.
func (a *Account) createVpc(form url.Values) (any, error) {
	if err := taught(form, "CidrBlock", "DryRun"); err != nil {
		return nil, err
	}
	if a.isDenied("ec2:CreateVpc") {
		return nil, &apiError{http.StatusForbidden, "UnauthorizedOperation", "You are not authorized to perform this operation."}
	}
	if form.Get("DryRun") != "true" {
		return nil, untaught("InvalidAction", "ec2", "CreateVpc without DryRun")
	}
	return nil, &apiError{http.StatusPreconditionFailed, "DryRunOperation", "Request would have succeeded, but DryRun flag is set."}
}

// quotasActions are those of Service Quotas.
func (a *Account) quotasActions() map[string]JSONAction {
	type getServiceQuota struct{ ServiceCode, QuotaCode string }
	return map[string]JSONAction{
		"GetServiceQuota": Taught(func(_ string, in getServiceQuota) (any, error) {
			a.around.mu.Lock()
			defer a.around.mu.Unlock()
			value, ok := a.around.quotas[in.QuotaCode]
			if !ok {
				value = 5
			}
			return map[string]any{"Quota": map[string]any{"ServiceCode": in.ServiceCode, "QuotaCode": in.QuotaCode, "Value": value}}, nil
		}),
	}
}
