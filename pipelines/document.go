package pipelines

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// BakeDocument is the component document that Image Builder carries out on the instance that becomes the image (EC2 Image
// Builder User Guide, "Use the AWSTOE component document framework"). It is the same for every release: what is installed
// comes from the bake manifest in the SSM parameter, so a new release needs no new component and no new recipe.
//
// DESTDIR is make's convention for installing under another root. It is empty on a real instance, and set by a rehearsal.
func BakeDocument(f Facts) string {
	type download struct {
		Source      string `yaml:"source"`
		Destination string `yaml:"destination"`
	}
	type script struct {
		Commands []string `yaml:"commands"`
	}
	type step struct {
		Name           string `yaml:"name"`
		Action         string `yaml:"action"`
		OnFailure      string `yaml:"onFailure"`
		TimeoutSeconds int    `yaml:"timeoutSeconds"`
		Inputs         any    `yaml:"inputs"`
	}
	type phase struct {
		Name  string `yaml:"name"`
		Steps []step `yaml:"steps"`
	}
	relay := fmt.Sprintf("/opt/%s/bin/relay", f.Product)
	run := func(name string, seconds int, commands ...string) step {
		return step{Name: name, Action: "ExecuteBash", OnFailure: "Abort", TimeoutSeconds: seconds, Inputs: script{Commands: commands}}
	}
	installed := fmt.Sprintf(`"${DESTDIR:-}%s" install --product %s --manifest %s`, relay, f.Product, f.ManifestParameter())
	return render(struct {
		Name          string    `yaml:"name"`
		Description   string    `yaml:"description"`
		SchemaVersion yaml.Node `yaml:"schemaVersion"`
		Phases        []phase   `yaml:"phases"`
	}{
		Name:        f.Name("bake"),
		Description: "Installs the software and the image repository's configuration that the bake manifest names.",
		// "1.0" to the letter: as a number it would be written as 1, which is no version that the agent knows.
		SchemaVersion: yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: "1.0"},
		Phases: []phase{
			{Name: "build", Steps: []step{
				{
					Name: "FetchRelay", Action: "S3Download", OnFailure: "Abort", TimeoutSeconds: 300,
					Inputs: []download{{Source: f.Relay.URI, Destination: relay}},
				},
				run("CheckRelay", 60,
					fmt.Sprintf(`echo "%s  ${DESTDIR:-}%s" | sha256sum --check --quiet`, f.Relay.SHA256, relay),
					fmt.Sprintf(`chmod 755 "${DESTDIR:-}%s"`, relay)),
				run("Install", 3600, installed),
			}},
			// Before the image is taken, on the machine that was installed; then on a fresh machine that was started from the image.
			{Name: "validate", Steps: []step{run("Validate", 600, installed+" --test")}},
			{Name: "test", Steps: []step{run("Test", 600, installed+" --test")}},
		},
	})
}
