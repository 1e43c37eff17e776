package manifest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/release"
)

func valid() manifest.Manifest {
	return manifest.Manifest{
		Product: "shop", Environment: "dev", Key: strings.Repeat("a", 64),
		Release: release.Release{
			ArtifactTag: "v1", SoftwareCommit: strings.Repeat("1", 40), ImageCommit: strings.Repeat("2", 40), Execution: "e-1",
		},
		Software: manifest.Content{URI: "s3://shop-dev/software/v1/shop-v1.tar.gz", SHA256: strings.Repeat("b", 64)},
		Image:    manifest.Content{URI: "s3://shop-dev/image/c.tar.gz", SHA256: strings.Repeat("c", 64)},
		Setup:    "bin/setup", Pipeline: "arn:aws:imagebuilder:eu-central-1:123456789012:image-pipeline/shop-dev-image",
	}
}

func TestWhatIsFormattedIsParsed(t *testing.T) {
	text, err := valid().Format()
	require.NoError(t, err)
	assert.Less(t, len(text), 4096)
	got, err := manifest.Parse(text)
	require.NoError(t, err)
	assert.Equal(t, valid(), got)
}

func TestEveryProblemAtOnce(t *testing.T) {
	m := valid()
	m.Product, m.Key, m.Image.URI, m.Setup = "../etc", "x", "http://x", "../x"
	_, err := m.Format()
	var invalid *manifest.InvalidError
	require.ErrorAs(t, err, &invalid)
	assert.Len(t, invalid.Problems, 4)
	assert.Contains(t, err.Error(), `manifest: product: "../etc": must be lower case letters`)
}

func TestRefused(t *testing.T) {
	text, err := valid().Format()
	require.NoError(t, err)
	for _, bad := range []string{"", "-", "[]", text + "x", strings.Replace(text, `"key"`, `"new":1,"key"`, 1), `{"product":1}`} {
		_, err := manifest.Parse(bad)
		require.ErrorContains(t, err, "manifest: ", bad)
	}
}

func FuzzParse(f *testing.F) {
	text, err := valid().Format()
	require.NoError(f, err)
	f.Add(text)
	f.Add("{}")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := manifest.Parse(text)
		if err != nil {
			return
		}
		again, err := m.Format()
		require.NoError(t, err)
		other, err := manifest.Parse(again)
		require.NoError(t, err)
		require.Equal(t, m, other)
	})
}
