package awssim

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ec2Time is how EC2 writes a time.
const ec2Time = "2006-01-02T15:04:05.000Z"

func (a *Account) ec2Actions() map[string]queryAction {
	actions := a.surroundingActions()
	maps.Copy(actions, map[string]queryAction{
		"DescribeImages":                 a.describeImages,
		"CreateTags":                     a.createTags,
		"DescribeInstances":              a.describeInstances,
		"DescribeLaunchTemplateVersions": a.describeLaunchTemplateVersions,
		"DescribeLaunchTemplates":        a.describeLaunchTemplates,
		"DeleteLaunchTemplate":           a.deleteLaunchTemplate,
	})
	return actions
}

type tagXML struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

type imageXML struct {
	ImageID      string                `xml:"imageId"`
	Name         string                `xml:"name"`
	State        string                `xml:"imageState"`
	Owner        string                `xml:"imageOwnerId"`
	CreationDate string                `xml:"creationDate"`
	Public       bool                  `xml:"isPublic"`
	Tags         items[tagXML]         `xml:"tagSet"`
	BlockDevices items[blockDeviceXML] `xml:"blockDeviceMapping"`
}

type blockDeviceXML struct {
	Device    string `xml:"deviceName"`
	SizeGiB   int    `xml:"ebs>volumeSize"`
	Type      string `xml:"ebs>volumeType"`
	Encrypted bool   `xml:"ebs>encrypted"`
}

func (a *Account) describeImages(form url.Values) (any, error) {
	if err := taught(form, "ImageId", "Owner", "Filter"); err != nil {
		return nil, err
	}
	query := ImageQuery{IDs: list(form, "ImageId"), Owners: list(form, "Owner"), Filters: map[string][]string{}}
	for i := 1; form.Has("Filter." + strconv.Itoa(i) + ".Name"); i++ {
		filter := "Filter." + strconv.Itoa(i)
		query.Filters[form.Get(filter+".Name")] = list(form, filter+".Value")
	}
	found, err := a.FindImages(query)
	if err != nil {
		return nil, err
	}
	var out struct {
		RequestID string          `xml:"requestId"`
		Images    items[imageXML] `xml:"imagesSet"`
	}
	out.RequestID = requestID
	for _, image := range found {
		x := imageXML{
			ImageID: image.ID, Name: image.Name, State: image.State, Owner: image.Owner,
			CreationDate: image.CreationDate.UTC().Format(ec2Time),
		}
		for _, key := range slices.Sorted(maps.Keys(image.Tags)) {
			x.Tags.Items = append(x.Tags.Items, tagXML{key, image.Tags[key]})
		}
		for _, disk := range image.BlockDevices {
			x.BlockDevices.Items = append(x.BlockDevices.Items, blockDeviceXML(disk))
		}
		out.Images.Items = append(out.Images.Items, x)
	}
	return out, nil
}

func (a *Account) createTags(form url.Values) (any, error) {
	if err := taught(form, "ResourceId", "Tag"); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for i := 1; form.Has("Tag." + strconv.Itoa(i) + ".Key"); i++ {
		tags[form.Get("Tag."+strconv.Itoa(i)+".Key")] = form.Get("Tag." + strconv.Itoa(i) + ".Value")
	}
	ids := list(form, "ResourceId")
	if err := a.TagImages(ids, tags); err != nil {
		return nil, err
	}
	a.log("ec2", strings.Join(ids, " "), "tagged with %s", strings.Join(slices.Sorted(maps.Keys(tags)), ", "))
	return struct {
		RequestID string `xml:"requestId"`
		Return    bool   `xml:"return"`
	}{requestID, true}, nil
}

type instanceXML struct {
	ID        string        `xml:"instanceId"`
	ImageID   string        `xml:"imageId"`
	Type      string        `xml:"instanceType"`
	State     string        `xml:"instanceState>name"`
	StateCode int           `xml:"instanceState>code"`
	Zone      string        `xml:"placement>availabilityZone"`
	Address   string        `xml:"privateIpAddress"`
	Launched  string        `xml:"launchTime"`
	Tags      items[tagXML] `xml:"tagSet"`
}

func (a *Account) describeInstances(form url.Values) (any, error) {
	if err := taught(form, "InstanceId"); err != nil {
		return nil, err
	}
	type reservation struct {
		Instances items[instanceXML] `xml:"instancesSet"`
	}
	var out struct {
		RequestID    string             `xml:"requestId"`
		Reservations items[reservation] `xml:"reservationSet"`
	}
	out.RequestID = requestID
	wanted := list(form, "InstanceId")
	missing := slices.Clone(wanted)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(a.groups)) {
		for _, in := range a.groups[name].instances {
			if len(wanted) > 0 && !slices.Contains(wanted, in.ID) {
				continue
			}
			missing = slices.DeleteFunc(missing, func(id string) bool { return id == in.ID })
			x := instanceXML{
				ID: in.ID, ImageID: in.ImageID, Type: in.instanceType, State: "running", StateCode: 16, Zone: in.Zone,
				Address: "127.0.0.1", Launched: in.launched.UTC().Format(ec2Time),
			}
			x.Tags.Items = []tagXML{{"aws:autoscaling:groupName", name}}
			out.Reservations.Items = append(out.Reservations.Items, reservation{items[instanceXML]{[]instanceXML{x}}})
		}
	}
	if len(missing) > 0 {
		return nil, refuse("InvalidInstanceID.NotFound", "the instance IDs %q do not exist", missing)
	}
	return out, nil
}

func (a *Account) describeLaunchTemplateVersions(form url.Values) (any, error) {
	if err := taught(form, "LaunchTemplateId", "LaunchTemplateVersion"); err != nil {
		return nil, err
	}
	id := form.Get("LaunchTemplateId")
	wanted := list(form, "LaunchTemplateVersion")
	type version struct {
		ID       string `xml:"launchTemplateId"`
		Version  int    `xml:"versionNumber"`
		ImageID  string `xml:"launchTemplateData>imageId"`
		Type     string `xml:"launchTemplateData>instanceType"`
		UserData string `xml:"launchTemplateData>userData"`
	}
	var out struct {
		RequestID string         `xml:"requestId"`
		Versions  items[version] `xml:"launchTemplateVersionSet"`
	}
	out.RequestID = requestID
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, t := range a.templates {
		if key.id == id && (len(wanted) == 0 || slices.Contains(wanted, strconv.Itoa(key.version))) {
			out.Versions.Items = append(out.Versions.Items, version{id, key.version, t.ImageID, t.InstanceType, t.UserData})
		}
	}
	if len(out.Versions.Items) == 0 {
		return nil, refuse("InvalidLaunchTemplateId.NotFound", "there is no launch template %q with versions %q", id, wanted)
	}
	slices.SortFunc(out.Versions.Items, func(x, y version) int { return y.Version - x.Version })
	return out, nil
}

// queryTime is how the query protocols write a time; a zero time is left out by those who use it.
func queryTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(ec2Time)
}
