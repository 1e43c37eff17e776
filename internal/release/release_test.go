package release_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/release"
)

func TestReleaseSurvivesTagsAndTrailers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[A-Za-z0-9._/:-]{1,40}`)
		want := release.Release{
			ArtifactTag: word.Draw(t, "tag"), SoftwareCommit: word.Draw(t, "software"),
			ImageCommit: word.Draw(t, "image"), Execution: word.Draw(t, "execution"),
		}
		assert.Equal(t, want, release.FromTags(want.Tags()))
		assert.Equal(t, want, release.FromMessage("Bake an image\n\nWhy not: so\n\n"+want.Trailers()))
	})
}

func TestParseAMI(t *testing.T) {
	id, err := release.ParseAMI(release.FormatAMI("ami-0123456789abcdef0"))
	require.NoError(t, err)
	assert.Equal(t, "ami-0123456789abcdef0", id)
	for _, bad := range []string{"", "ami-", "ami-0123456789ABCDEF0", "ami-0123456789abcdef0\nami-0123456789abcdef0", "<html>"} {
		_, err := release.ParseAMI(bad)
		assert.ErrorContains(t, err, "ami-id", "%q", bad)
	}
}

func FuzzParseAMI(f *testing.F) {
	f.Add("ami-0123456789abcdef0\n")
	f.Add("ami-01234567")
	f.Add("")
	f.Fuzz(func(t *testing.T, content string) {
		id, err := release.ParseAMI(content)
		if err == nil {
			again, err := release.ParseAMI(release.FormatAMI(id))
			require.NoError(t, err)
			require.Equal(t, id, again)
		}
	})
}

func FuzzFromMessage(f *testing.F) {
	f.Add("ami-id: v1 (ami-0123456789abcdef0)", "v1", "c0ffee", "", "e-1")
	f.Add("Revert\n\nArtifact-Tag: v0\nImage-Commit: beef", "v1", "c0ffee", "", "e-1")
	f.Add("\r\nArtifact-Tag:\x00:: :", " v1\n", "a: b", "Image-Commit: x", "\u2028")
	f.Fuzz(func(t *testing.T, body, tag, software, image, execution string) {
		release.FromMessage(body)
		line := func(s string) string {
			return strings.TrimSpace(strings.NewReplacer("\n", " ").Replace(s))
		}
		want := release.Release{ArtifactTag: line(tag), SoftwareCommit: line(software), ImageCommit: line(image), Execution: line(execution)}
		require.Equal(t, want, release.FromMessage(body+"\n\n"+want.Trailers()), "whatever stands above")
	})
}
