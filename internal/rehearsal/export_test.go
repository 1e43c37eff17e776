package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/review"
)

// AppID is that of the pipelines' App.
const AppID = appID

// SetGitHubSecret stores other credentials for the pipelines.
func (r *Rehearsal) SetGitHubSecret(text string) { r.aws.SetSecret(Product+"/github", text) }

// SetConnection gives the connection of an environment another status.
func (r *Rehearsal) SetConnection(environment, status string) error {
	return r.setConnection(environment, status)
}

// Minted are the tokens that Apps got, Objects the contents of all objects by bucket and key.
func (r *Rehearsal) Minted() []string                    { return r.github.Minted() }
func (r *Rehearsal) Objects() (map[string][]byte, error) { return r.aws.Objects() }

// PutObject writes an object into the tools' bucket.
func (r *Rehearsal) PutObject(key string, content []byte) error {
	return r.aws.PutObject(tools, key, content)
}

// Marks say how far everything has come that only ever grows.
type Marks struct {
	// Heads are the dev branches' commits by role.
	Heads map[string]string
	// Objects are all objects' contents by bucket and key, Images the AMIs' IDs, Bakes the folders of those that were begun.
	Objects map[string][]byte
	Images  []string
	Bakes   []string
}

// Marks are those of now.
func (r *Rehearsal) Marks(ctx context.Context, roles ...string) (m Marks, err error) {
	m = Marks{Heads: map[string]string{}, Images: r.Bakes()}
	for _, role := range roles {
		if m.Heads[role], err = r.github.CommitOf(ctx, r.product+"-"+role, "dev"); err != nil {
			return m, err
		}
	}
	if m.Bakes, err = filepath.Glob(filepath.Join(r.options.Dir, "aws", "images", "*")); err != nil {
		return m, err
	}
	m.Objects, err = r.aws.Objects()
	return m, err
}

// End is what a release since earlier marks left in dev, one fact a line, with placeholders for what differs from release to release:
// IDs, digests, commits, times, versions.
func (r *Rehearsal) End(ctx context.Context, since Marks) ([]string, error) {
	now, err := r.Marks(ctx, slices.Collect(maps.Keys(since.Heads))...)
	if err != nil {
		return nil, err
	}
	var facts []string
	note := func(kind, text string) { facts = append(facts, kind+" "+r.plain(text)) }
	for role, head := range since.Heads {
		dir := filepath.Join(r.options.Dir, "github", Owner, r.product+"-"+role+".git")
		log, err := git.Run(ctx, dir, "log", "--first-parent", "--no-merges", "--format=%s%n%b", "--name-status", head+"..dev")
		if err != nil {
			return nil, err
		}
		merges, err := git.Run(ctx, dir, "rev-list", "--count", head+"..dev")
		if err != nil {
			return nil, err
		}
		note("git "+role, "commits "+merges+"\n"+log)
	}
	for role, name := range map[string]string{"image": "config.json", "infrastructure": "ami-id"} {
		content, err := r.File(ctx, role, "dev", name)
		if err != nil {
			return nil, err
		}
		note("file "+role, string(content))
	}
	for key, content := range now.Objects {
		if old, ok := since.Objects[key]; ok && string(old) == string(content) || !lasts(key, now.Objects) {
			continue
		}
		note("object", key)
		name := filepath.Base(key)
		if strings.HasSuffix(name, ".json") && !slices.Contains([]string{review.PlanFile, review.PreviewFile, review.ReportFile}, name) {
			note("content", key+" "+string(content))
		}
	}
	for _, id := range now.Images {
		if !slices.Contains(since.Images, id) {
			image, _ := r.aws.Image(id)
			tags, _ := json.Marshal(image.Tags) // strings have a JSON form
			note("image", image.State+" "+string(tags))
		}
	}
	for _, id := range now.Bakes {
		log, err := os.ReadFile(filepath.Join(id, "bake.log"))
		if err != nil {
			return nil, err
		}
		if failed := bytes.Contains(log, []byte("ErrorMessage: ")); !failed && !slices.Contains(since.Bakes, id) {
			note("bake", filepath.Base(id))
		}
	}
	for _, i := range r.aws.Instances(r.pipeline("dev", "app")) {
		note("instance", i.ImageID+" "+string(i.Health))
	}
	state, err := r.state(ctx)
	if err != nil {
		return nil, err
	}
	for _, line := range state {
		note("stack", line)
	}
	slices.Sort(facts)
	return facts, nil
}

// lasts says that an object counts. Each attempt at a review writes a folder of its own, and overwrites none: what counts is the one that
// was deployed, to the last file.
func lasts(key string, all map[string][]byte) bool {
	bucket, rest, _ := strings.Cut(key, "/")
	if !strings.HasPrefix(rest, "reviews/") {
		return true
	}
	digest := review.Digest(all[bucket+"/"+path.Dir(rest)+"/"+review.ManifestFile])
	_, deployed := all[bucket+"/deployments/dev/"+digest+"/result.json"]
	return deployed
}

// state is dev's stack: each resource with its inputs and outputs, and the operations that the engine does not know the end of.
func (r *Rehearsal) state(ctx context.Context) ([]string, error) {
	text, err := r.Export(ctx, "dev")
	if err != nil {
		return nil, err
	}
	var export struct {
		Deployment struct {
			Resources []struct {
				URN             string
				Inputs, Outputs map[string]any
			}
			PendingOperations []json.RawMessage `json:"pending_operations"`
		}
	}
	if err := json.Unmarshal(text, &export); err != nil {
		return nil, err
	}
	var lines []string
	for _, res := range export.Deployment.Resources {
		if strings.Contains(res.URN, "::pulumi:pulumi:StackReference::") {
			res.Outputs = nil // what another update had left when it was read
		}
		if text, ok := res.Outputs["history"].(string); ok {
			releases := strings.Fields(text)
			slices.Sort(releases)
			if len(slices.Compact(slices.Clone(releases))) < len(releases) {
				lines = append(lines, "the history names a release twice")
			}
		}
		line, err := json.Marshal(res)
		if err != nil {
			return nil, err
		}
		lines = append(lines, string(line))
	}
	for _, pending := range export.Deployment.PendingOperations {
		lines = append(lines, "pending "+string(pending))
	}
	return lines, nil
}

var differs = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.]*(Z|[+-]\d\d:?\d\d)?`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d[0-9.]*Z?`), "TIME"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\d+)?`), "UUID"},
	{regexp.MustCompile(`\b(ami|i|lt|eni|vol|snap)-[0-9a-f]{17}`), "${1}-ID"},
	{regexp.MustCompile(`[0-9a-f]{7,64}`), "HASH"},
	{regexp.MustCompile(`(?i)((?:latest|default)?version\\?": ?\\?"?)\d+`), "${1}N"},
	{regexp.MustCompile(`"(pid|etag|ETag)": ?"?[^",}]+`), `"$1": N`},
	{regexp.MustCompile(`\d{4,}`), "N"},
	{regexp.MustCompile(`#\d+`), "#N"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
	{regexp.MustCompile(`gHASH=ami-ID( gHASH=ami-ID)*`), "HISTORY"},
}

// plain puts words in the place of what differs from release to release, and from product to product and from world to world.
func (r *Rehearsal) plain(text string) string {
	text = strings.NewReplacer(r.options.Dir, "DIR", r.product, "PRODUCT", Product, "PRODUCT").Replace(text)
	for _, d := range differs {
		text = d.pattern.ReplaceAllString(text, d.word)
	}
	return text
}
