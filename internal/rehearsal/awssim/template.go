package awssim

import (
	"maps"
	"net/url"
	"slices"
	"time"
)

// LaunchTemplate is one version of a launch template.
type LaunchTemplate struct {
	// Name and Tags are the template's, the same in each version.
	Name                  string
	Tags                  map[string]string
	ImageID, InstanceType string
	// UserData is kept and described, not run: what an instance is was baked into its image.
	UserData string

	created time.Time // when the first version was
}

type templateVersion struct {
	id      string
	version int
}

// PutLaunchTemplate adds a version of a launch template.
func (a *Account) PutLaunchTemplate(id string, version int, template LaunchTemplate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	template.created = time.Now()
	for key, other := range a.templates {
		if key.id == id {
			template.created = other.created
		}
	}
	a.templates[templateVersion{id, version}] = template
}

// DeleteLaunchTemplate deletes all versions of a launch template, if there are any.
func (a *Account) DeleteLaunchTemplate(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key := range a.templates {
		if key.id == id {
			delete(a.templates, key)
		}
	}
}

// LaunchTemplateExists says that there is a launch template of a name.
func (a *Account) LaunchTemplateExists(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, template := range a.templates {
		if template.Name == name {
			return true
		}
	}
	return false
}

type launchTemplateXML struct {
	ID      string        `xml:"launchTemplateId"`
	Name    string        `xml:"launchTemplateName"`
	Created string        `xml:"createTime"`
	Latest  int           `xml:"latestVersionNumber"`
	Tags    items[tagXML] `xml:"tagSet"`
}

func (a *Account) describeLaunchTemplates(form url.Values) (any, error) {
	if err := taught(form, "LaunchTemplateName"); err != nil {
		return nil, err
	}
	var out struct {
		RequestID string                   `xml:"requestId"`
		Templates items[launchTemplateXML] `xml:"launchTemplates"`
	}
	out.RequestID = requestID
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range list(form, "LaunchTemplateName") {
		x, found := a.launchTemplate(func(_ string, t LaunchTemplate) bool { return t.Name == name })
		if !found {
			return nil, refuse("InvalidLaunchTemplateName.NotFoundException", "at least one of the launch templates specified in the request does not exist")
		}
		out.Templates.Items = append(out.Templates.Items, x)
	}
	return out, nil
}

func (a *Account) deleteLaunchTemplate(form url.Values) (any, error) {
	if err := taught(form, "LaunchTemplateId"); err != nil {
		return nil, err
	}
	id := form.Get("LaunchTemplateId")
	a.mu.Lock()
	x, found := a.launchTemplate(func(other string, _ LaunchTemplate) bool { return other == id })
	a.mu.Unlock()
	if !found {
		return nil, refuse("InvalidLaunchTemplateId.NotFound", "the specified launch template, with template ID %s, does not exist", id)
	}
	a.DeleteLaunchTemplate(id)
	a.log("ec2", id, "deleted launch template %s", x.Name)
	return struct {
		RequestID string            `xml:"requestId"`
		Template  launchTemplateXML `xml:"launchTemplate"`
	}{requestID, x}, nil
}

// launchTemplate is the one that is meant, in its latest version. The caller holds mu.
func (a *Account) launchTemplate(is func(id string, t LaunchTemplate) bool) (x launchTemplateXML, found bool) {
	for key, t := range a.templates {
		if !is(key.id, t) || key.version < x.Latest {
			continue
		}
		x, found = launchTemplateXML{ID: key.id, Name: t.Name, Created: queryTime(t.created), Latest: key.version}, true
		for _, tag := range slices.Sorted(maps.Keys(t.Tags)) {
			x.Tags.Items = append(x.Tags.Items, tagXML{tag, t.Tags[tag]})
		}
	}
	return x, found
}
