package environments_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
)

// TestTheStackDiagramNamesEveryComponent holds the drawing against the stack that the program makes.
func TestTheStackDiagramNamesEveryComponent(t *testing.T) {
	for _, profile := range environments.Profiles() {
		name := profile.Environment
		cloud, err := scenario{environment: name}.run(t, false)
		require.NoError(t, err)
		c, err := environments.ReadConfig(profile, func(key string) (string, bool) { v, ok := config(name).Values()[key]; return v, ok })
		require.NoError(t, err)
		drawn := environments.StackDiagram(profile, c)
		text, err := json.Marshal(drawn)
		require.NoError(t, err)
		kinds := map[string]bool{}
		for _, r := range cloud.Resources() {
			if kind, ours := strings.CutPrefix(r.Type, "ha-devops:index:"); ours {
				kinds[kind] = true
				assert.Contains(t, string(text), kind)
			}
			if r.Type == "aws:codepipeline/pipeline:Pipeline" {
				assert.Contains(t, string(text), r.Inputs["name"].StringValue())
			}
		}
		assert.Len(t, kinds, 6)
		_, err = drawn.SVG()
		require.NoError(t, err)
	}
}
