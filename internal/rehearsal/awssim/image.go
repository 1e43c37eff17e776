package awssim

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Image is an AMI.
type Image struct {
	// ID is ami- and hex digits; RegisterImage makes one up if it is empty.
	ID, Name string
	// State is pending, available, failed…; "" becomes available.
	State string
	// Owner is an account ID; "" becomes the account's own.
	Owner string
	// Root is the folder that holds what is on the image's disk.
	Root string
	Tags map[string]string
	// LaunchPermission are the accounts besides the owner's that may launch it.
	LaunchPermission []string
	BlockDevices     []BlockDevice
	// CreationDate is now if it is zero.
	CreationDate time.Time
}

// BlockDevice is a disk of an image.
type BlockDevice struct {
	// Device is its name, such as /dev/xvda.
	Device string
	// SizeGiB is its size in GiB; Type is that of the volume, such as gp3.
	SizeGiB   int
	Type      string
	Encrypted bool
}

// ImageQuery says which images to find: those that all of its parts let through. An empty part lets every image through.
type ImageQuery struct {
	IDs []string
	// Owners are account IDs or "self"; an alias such as "amazon" finds nothing.
	Owners []string
	// Filters are those of DescribeImages: image-id, name, state, owner-id and tag:<key>, each with the values that match. In a
	// value, * stands for any text and ? for any character.
	Filters map[string][]string
}

// RegisterImage adds an image, or replaces the one of the same ID, and returns its ID.
func (a *Account) RegisterImage(image Image) string {
	if image.ID == "" {
		image.ID = newID("ami")
	}
	if image.State == "" {
		image.State = "available"
	}
	if image.Owner == "" {
		image.Owner = a.opts.AccountID
	}
	if image.CreationDate.IsZero() {
		image.CreationDate = time.Now()
	}
	image = image.clone()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.images[image.ID] = &image
	return image.ID
}

// clone keeps a tag that is set later out of copies that were handed out.
func (i Image) clone() Image {
	i.Tags = maps.Clone(i.Tags)
	if i.Tags == nil {
		i.Tags = map[string]string{}
	}
	return i
}

// Image returns an image, and whether there is one of this ID.
func (a *Account) Image(id string) (Image, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if image, ok := a.images[id]; ok {
		return image.clone(), true
	}
	return Image{}, false
}

var imageID = regexp.MustCompile(`^ami-[0-9a-f]+$`)

// FindImages returns the images that a query asks for, the newest first. Asking for an ID that does not exist is an error,
// as in EC2, and so is a filter that is not simulated.
func (a *Account) FindImages(query ImageQuery) ([]Image, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range query.IDs {
		if !imageID.MatchString(id) {
			return nil, refuse("InvalidAMIID.Malformed", "invalid id: %q", id)
		}
		if a.images[id] == nil {
			return nil, refuse("InvalidAMIID.NotFound", "the image id '[%s]' does not exist", id)
		}
	}
	for filter := range query.Filters {
		if _, _, ok := new(Image).attribute(filter); !ok {
			return nil, refuse("InvalidParameterValue", "the rehearsal was not taught the filter %q of DescribeImages", filter)
		}
	}
	var found []Image
	for _, image := range a.images {
		if a.matches(image, query) {
			found = append(found, image.clone())
		}
	}
	slices.SortFunc(found, func(x, y Image) int {
		if c := y.CreationDate.Compare(x.CreationDate); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	return found, nil
}

func (a *Account) matches(image *Image, query ImageQuery) bool {
	if len(query.IDs) > 0 && !slices.Contains(query.IDs, image.ID) {
		return false
	}
	owned := func(owner string) bool {
		return owner == image.Owner || owner == "self" && image.Owner == a.opts.AccountID
	}
	if len(query.Owners) > 0 && !slices.ContainsFunc(query.Owners, owned) {
		return false
	}
	for filter, patterns := range query.Filters {
		value, has, _ := image.attribute(filter)
		if !has || !slices.ContainsFunc(patterns, func(pattern string) bool { return matchWildcards(pattern, value) }) {
			return false
		}
	}
	return true
}

// attribute returns what a filter of DescribeImages looks at, whether the image has it, and whether the filter is known.
func (i *Image) attribute(filter string) (value string, has, known bool) {
	if key, ok := strings.CutPrefix(filter, "tag:"); ok {
		value, has := i.Tags[key]
		return value, has, true
	}
	switch filter {
	case "image-id":
		return i.ID, true, true
	case "name":
		return i.Name, true, true
	case "state":
		return i.State, true, true
	case "owner-id":
		return i.Owner, true, true
	}
	return "", false, false
}

func matchWildcards(pattern, value string) bool {
	expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	compiled, err := regexp.Compile(`(?s)^` + expression + `$`) // an error is bytes that are no UTF-8: they match nothing
	return err == nil && compiled.MatchString(value)
}

// TagImages adds tags to images, or replaces their values; that one of them does not exist is an error and nothing is done.
func (a *Account) TagImages(ids []string, tags map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		if !strings.HasPrefix(id, "ami-") {
			return refuse("InvalidID", "the rehearsal was taught to tag images only, not %q", id)
		}
		if a.images[id] == nil {
			return refuse("InvalidAMIID.NotFound", "the image id '[%s]' does not exist", id)
		}
	}
	for _, id := range ids {
		maps.Copy(a.images[id].Tags, tags)
	}
	return nil
}

// DeregisterImage removes an image; its files stay. Instances that run from it go on.
func (a *Account) DeregisterImage(id string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.images[id] == nil {
		return errors.New("deregistering image " + id + ": there is none")
	}
	delete(a.images, id)
	return nil
}
