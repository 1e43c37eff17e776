package rehearsal

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/provider"
)

type template struct {
	Name, ImageId, InstanceType, UserData string
	LatestVersion                         int
	Tags                                  map[string]string
}

func (r *Rehearsal) putTemplate(res provider.Resource, in template) error {
	r.aws.PutLaunchTemplate(res.ID, in.LatestVersion, awssim.LaunchTemplate{
		Name: in.Name, Tags: in.Tags, ImageID: in.ImageId, InstanceType: in.InstanceType, UserData: in.UserData,
	})
	return nil
}

type group struct {
	Name                                     string
	MinSize, MaxSize, HealthCheckGracePeriod int
	LaunchTemplate                           struct{ Id, Version string }
	TargetGroupArns                          []string
	InstanceRefresh                          *struct{ Preferences struct{ AutoRollback bool } }
	Tags                                     []struct{ Key, Value string }
}

func (r *Rehearsal) putGroup(_ provider.Resource, in group) error {
	version, err := strconv.Atoi(in.LaunchTemplate.Version)
	if err != nil {
		return fmt.Errorf("group %s: launch template version %q; expected a number, since nothing would ever start a refresh to it", in.Name, in.LaunchTemplate.Version)
	}
	g := awssim.Group{
		Name: in.Name, LaunchTemplateID: in.LaunchTemplate.Id, Version: version, Min: in.MinSize, Max: in.MaxSize, Desired: in.MinSize,
		TargetGroupARNs: in.TargetGroupArns, Zones: []string{region + "a", region + "b", region + "c"},
		HealthCheckGrace: time.Duration(in.HealthCheckGracePeriod) * time.Second, Tags: map[string]string{},
	}
	for _, tag := range in.Tags {
		g.Tags[tag.Key] = tag.Value
	}
	if in.InstanceRefresh != nil {
		g.RefreshOnChange, g.AutoRollback = true, in.InstanceRefresh.Preferences.AutoRollback
	}
	return r.aws.PutGroup(g)
}

func (r *Rehearsal) images(_ context.Context, query provider.ImageQuery) ([]provider.Image, error) {
	filters := map[string][]string{}
	for _, f := range query.Filters {
		filters[f.Name] = f.Values
	}
	found, err := r.aws.FindImages(awssim.ImageQuery{Owners: query.Owners, Filters: filters})
	if err != nil {
		return nil, err
	}
	var images []provider.Image
	for _, image := range found {
		images = append(images, provider.Image{
			ID: image.ID, Name: image.Name, Owner: image.Owner, State: image.State, Created: image.CreationDate.Format(time.RFC3339), Tags: image.Tags,
		})
	}
	return images, nil
}
