package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
	"github.com/tekpossible/ha-devops/internal/release"
)

// Environment is what an environment runs, and what its instances answered when they were asked.
type Environment struct {
	Name           string `json:"name"`
	ArtifactTag    string `json:"artifactTag"`
	AMI            string `json:"amiId"`
	SoftwareCommit string `json:"softwareCommit"`
	ImageCommit    string `json:"imageCommit"`
	// Answered is the release that every instance answered, over HTTP.
	Answered string `json:"answered"`
	// Instances is how many did.
	Instances int `json:"-"`
}

// verify walks the relay of a release from hand to hand, and names the first one that did not pass it on.
func (r *Rehearsal) verify(ctx context.Context, environment string) error {
	if err := r.ran(environment, "software"); err != nil {
		return err
	}
	config, err := r.File(ctx, "image", environment, imageconfig.Name)
	if err != nil {
		return err
	}
	named, err := imageconfig.Parse(config)
	if err != nil {
		return fmt.Errorf("image/%s: %w", environment, err)
	}
	if named.Software == nil {
		return fmt.Errorf("%s succeeded, but image/%s:%s names no software: no stage hands it off (stages: %s)",
			r.pipeline(environment, "software"), environment, imageconfig.Name, r.stages(environment, "software"))
	}
	if err := r.ran(environment, "image"); err != nil {
		return err
	}
	id, err := r.File(ctx, "infrastructure", environment, release.AMIFile)
	if err != nil {
		return err
	}
	ami, err := release.ParseAMI(string(id))
	if err != nil {
		return fmt.Errorf("%s succeeded, but infrastructure/%s: %w (stages: %s)", r.pipeline(environment, "image"), environment, err, r.stages(environment, "image"))
	}
	if err := r.ran(environment, "infrastructure"); err != nil {
		return err
	}
	instances := r.aws.Instances(r.pipeline(environment, "app"))
	for _, instance := range instances {
		if instance.ImageID != ami {
			return fmt.Errorf("%s succeeded, but instance %s runs %s and infrastructure/%s:%s names %s: no stage deployed it (stages: %s)",
				r.pipeline(environment, "infrastructure"), instance.ID, instance.ImageID, environment, release.AMIFile, ami, r.stages(environment, "infrastructure"))
		}
	}
	if len(instances) == 0 {
		return fmt.Errorf("%s succeeded, but no instance runs %s, which infrastructure/%s:%s names: no stage deployed it (stages: %s)",
			r.pipeline(environment, "infrastructure"), ami, environment, release.AMIFile, r.stages(environment, "infrastructure"))
	}
	return nil
}

// ran says why a pipeline did not run in this release although its branch moved. A branch that did not move, because the file that is
// handed off said the same already, starts nothing.
func (r *Rehearsal) ran(environment, role string) error {
	repository := Owner + "/" + r.product + "-" + role
	if slices.Contains(r.runner.Triggers(repository, environment), r.pipeline(environment, role)) {
		return nil
	}
	return fmt.Errorf("%s/%s moved, but started no pipeline: the trigger of %s does not match branch %s", role, environment, r.pipeline(environment, role), environment)
}

// stages are the stages that a pipeline went through when it ran last.
func (r *Rehearsal) stages(environment, role string) string {
	names := "it never ran"
	for _, e := range r.Executions() {
		if e.Pipeline == r.pipeline(environment, role) && e.Status == runner.Succeeded {
			names = ""
			for _, stage := range e.Stages {
				names += ", " + stage.Name
			}
		}
	}
	return strings.TrimPrefix(names, ", ")
}

// File is the content of a file at an environment's branch of the repository of a role, empty where there is none.
func (r *Rehearsal) File(ctx context.Context, role, environment, name string) ([]byte, error) {
	file, _, err := r.github.ReadFile(ctx, r.product+"-"+role, environment, name)
	return file.Content, err
}

// Bakes are the IDs of the AMIs that were baked so far.
func (r *Rehearsal) Bakes() []string {
	images, err := r.aws.FindImages(awssim.ImageQuery{})
	if err != nil {
		return nil
	}
	var ids []string
	for _, image := range images {
		ids = append(ids, image.ID)
	}
	return ids
}

// Remote is the address of the repository of a role, for git, with somebody's token.
func (r *Rehearsal) Remote(role, token string) string {
	return r.people.remote(r.product+"-"+role, token)
}

// Ask asks every instance of an environment over HTTP which release it is. Software that has no answer to that is asked whether it is
// healthy, and the release is read from the file that the image was installed with.
func (r *Rehearsal) Ask(ctx context.Context, environment string) (Environment, error) {
	e := Environment{Name: environment}
	err := r.step(environment, "ask", func() (string, error) {
		for _, instance := range r.aws.Instances(r.pipeline(environment, "app")) {
			answer, err := r.ask(ctx, instance)
			if err != nil {
				return "", err
			}
			if e.Instances++; e.Instances > 1 && answer != e.Answered {
				return "", fmt.Errorf("the instances of %s answer different releases: %s and %s", environment, e.Answered, answer)
			}
			e.Answered, e.AMI = answer, instance.ImageID
		}
		image, found := r.aws.Image(e.AMI)
		if !found {
			return "", fmt.Errorf("no instance runs in %s", environment)
		}
		from := release.FromTags(image.Tags)
		e.ArtifactTag, e.SoftwareCommit, e.ImageCommit = from.ArtifactTag, from.SoftwareCommit, from.ImageCommit
		if e.Answered != e.ArtifactTag {
			return "", fmt.Errorf("the instances of %s answer %q, but their image %s is release %q", environment, e.Answered, e.AMI, e.ArtifactTag)
		}
		return fmt.Sprintf("%d instances answer %s", e.Instances, e.Answered), nil
	})
	return e, err
}

func (r *Rehearsal) ask(ctx context.Context, instance awssim.Instance) (string, error) {
	answer, status, err := get(ctx, instance.URL+"/version")
	if err != nil {
		return "", fmt.Errorf("instance %s at %s: %w", instance.ID, instance.URL, err)
	}
	if status == http.StatusOK && looksLikeRelease(answer) {
		return answer, nil
	}
	if instance.Health != awssim.Healthy {
		return "", fmt.Errorf("instance %s is %s: %s", instance.ID, instance.Health, instance.Reason)
	}
	return r.installed(instance.ImageID)
}

// installed is the release in the file that an image was installed with.
func (r *Rehearsal) installed(ami string) (string, error) {
	image, _ := r.aws.Image(ami)
	path := filepath.Join(image.Root, "etc", r.product, "release.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", ami, err)
	}
	var installed release.Release
	if err := json.Unmarshal(text, &installed); err != nil {
		return "", fmt.Errorf("image %s: %s: %w", ami, path, err)
	}
	return installed.ArtifactTag, nil
}

// looksLikeRelease tells a release from a page: software may answer anything at /version.
func looksLikeRelease(answer string) bool {
	return answer != "" && len(answer) < 200 && !strings.ContainsAny(answer, " \n\t<>{}")
}

func get(ctx context.Context, url string) (string, int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return strings.TrimSpace(string(body)), response.StatusCode, err
}
