package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/preview"
)

func TestWhatIsLostComesFirst(t *testing.T) {
	resource := func(parent, name, op string) preview.Resource {
		return preview.Resource{URN: "urn:pulumi:qa::p::a:b:C::" + name, Type: "a:b:C", Parent: parent, Op: op}
	}
	stack := resource("", "stack", preview.Same)
	one, two := resource(stack.URN, "one", preview.Same), resource(stack.URN, "two", preview.Same)
	r := Report{Preview: preview.Preview{Resources: []preview.Resource{
		stack, one, two,
		resource(one.URN, "a", preview.Create), resource(two.URN, "b", preview.Create), resource(one.URN, "c", preview.Update),
		resource(two.URN, "d", preview.Delete), resource(two.URN, "e", preview.Replace), resource(one.URN, "f", preview.Create),
		resource(two.URN, "g", preview.Delete), resource(two.URN, "h", "import"),
	}}}
	var found []string
	for _, g := range r.groups() {
		found = append(found, g.Component+": "+g.Summary)
		for _, c := range g.Changes {
			found = append(found, c.Op+" "+c.Name)
		}
	}
	assert.Equal(t, []string{
		"two: 2 to delete, 1 to replace, 1 to create, 1 to import", "delete d", "delete g", "replace e", "create b", "import h",
		"one: 1 to update, 2 to create", "update c", "create a", "create f",
	}, found)
}

func TestAResourceThatComesOrGoesDiffersInAllThatItHas(t *testing.T) {
	has := map[string]any{"b": 2, "a": "x"}
	assert.Equal(t, []preview.Property{{Path: "a", Op: preview.Create, After: "x"}, {Path: "b", Op: preview.Create, After: 2}},
		properties(preview.Resource{Op: preview.Create, After: has}))
	assert.Equal(t, []preview.Property{{Path: "a", Op: preview.Delete, Before: "x"}, {Path: "b", Op: preview.Delete, Before: 2}},
		properties(preview.Resource{Op: preview.Delete, Before: has}))
	assert.Empty(t, properties(preview.Resource{Op: preview.Update, Before: has, After: has}))
}

func TestValuesAreForPeople(t *testing.T) {
	for _, c := range []struct {
		before, after any
		want          [2]string
	}{
		{"a", "b", [2]string{"a", "b"}},
		{"", "b", [2]string{`""`, "b"}},
		{nil, true, [2]string{"null", "true"}},
		{"1", 1.0, [2]string{`"1"`, "1"}},
		{[]any{"a", 1.0}, map[string]any{"k": "<v>"}, [2]string{`["a",1]`, `{"k":"<v>"}`}},
		{"a\r\nb\n", "c", [2]string{"a\nb", "c"}},
		{"a", "a\n", [2]string{`"a"`, `"a\n"`}},
		{preview.Secret, preview.Secret, [2]string{preview.Secret, preview.Secret}},
		{`{"not": "long"}`, `{not json, and longer than what fits on one line of the report}`, [2]string{`{"not": "long"}`, `{not json, and longer than what fits on one line of the report}`}},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}`, "", [2]string{
			"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"s3:*\"\n    }\n  ]\n}", `""`,
		}},
	} {
		before, after := values(preview.Property{Op: preview.Update, Before: c.before, After: c.after})
		assert.Equal(t, c.want, [2]string{before, after})
	}
	before, after := values(preview.Property{Op: preview.Create, After: "x"})
	assert.Equal(t, [2]string{"", "x"}, [2]string{before, after})
}

func TestLongValuesAreShownFromWhereTheyDiffer(t *testing.T) {
	long := strings.Repeat("subnet-", 20)
	before, after := focus(long+"a", long+"b", 40)
	assert.Equal(t, "…et-subnet-a", before)
	assert.Equal(t, "…et-subnet-b", after)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		n := rapid.IntRange(1, 50).Draw(t, "n")
		// A character that is written out needs up to ten.
		short, _ := focus(a, b, n)
		require.LessOrEqual(t, utf8.RuneCountInString(short), n+1)
		require.NotContains(t, short, "\n")
	})
}

func TestADiffHasEveryLineOfBothSides(t *testing.T) {
	line := rapid.SampledFrom([]string{"a", "b", "c", "", "  d", "{", "}"})
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOfN(line, 1, 30).Draw(t, "a"), rapid.SliceOfN(line, 1, 30).Draw(t, "b")
		var before, after []string
		for _, l := range compareLines(strings.Join(a, "\n"), strings.Join(b, "\n")) {
			if l.Kind != lineAdded {
				before = append(before, l.Text)
			}
			if l.Kind != lineRemoved {
				after = append(after, l.Text)
			}
		}
		require.Equal(t, a, before)
		require.Equal(t, b, after)
	})
}

func TestLinesFarFromAChangeAreFolded(t *testing.T) {
	same := strings.Repeat("same\n", 20)
	var kinds []string
	for _, l := range diffLines(same+"a", same+"b") {
		kinds = append(kinds, l.Kind+" "+l.Text)
	}
	assert.Equal(t, []string{"folded 17 lines unchanged", "same same", "same same", "same same", "removed a", "added b"}, kinds)
	lines := diffLines(strings.Repeat("a\n", 1000)+"a", strings.Repeat("b\n", 1000)+"b")
	assert.Len(t, lines, maxLines+1)
	assert.Equal(t, line{lineFolded, "1602 more lines"}, lines[maxLines])
}

func TestWhatCannotBeSeenIsWrittenOut(t *testing.T) {
	assert.Equal(t, `a\u202eb\u001b[31m\u200b`+"\n\t", clean("a\u202eb\x1b[31m\u200b\n\t"))
	assert.Equal(t, "Größe 👩\u200d💻 日本", clean("Größe 👩\u200d💻 日本"))
	assert.Equal(t, "a\ufffdb", clean("a\xffb"))
}

func TestWords(t *testing.T) {
	assert.Equal(t, "1 finding", plural(1, "finding"))
	assert.Equal(t, "12,345 findings", plural(12345, "finding"))
	assert.Equal(t, "aws:s3/bucket:Bucket::logs", endOf("urn:pulumi:qa::p::a:b:App$aws:s3/bucket:Bucket::logs"))
	assert.Equal(t, "a:b:C::n$1", endOf("urn:pulumi:qa::p::a:b:C::n$1"))
	assert.Equal(t, "x", endOf("x"))
	for address, want := range map[string]string{
		"https://github.com/a/b/commit/1": "https://github.com/a/b/commit/1", "http://127.0.0.1:80/x": "http://127.0.0.1:80/x",
		"javascript:alert(1)": "", "https://a/>x": "", "//a/b": "", "": "", "https://": "", "https://a/b c": "", "https://a/\n": "",
	} {
		assert.Equal(t, want, web(address))
	}
}

func TestMarkdownFitsAComment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.SampledFrom([]int{1, 100, 400}).Draw(t, "length")
		text := strings.Repeat(rapid.SampledFrom([]string{"x", "é", "`", "𝕏 ", "<", "\u202e"}).Draw(t, "text"), length)
		r := Report{
			Product: text, Environment: text, Commit: Commit{SHA: text, Subject: text, Author: text}, Execution: text, Relay: text, Pulumi: text, Mirror: text,
			From: Release{text, text, text, text}, Promotion: Promotion{text, text, text}, SoftwareNote: text,
			Approval: Approval{Approve: text, Reject: text, Console: "https://a/" + text, Page: "https://a/" + text},
		}
		n := rapid.SampledFrom([]int{1, 30, 200}).Draw(t, "n")
		for i := range n {
			r.Software = append(r.Software, r.Commit)
			r.Parity = append(r.Parity, Difference{text, text, text})
			r.Digests = append(r.Digests, Digest{text, text})
			r.Preview.Resources = append(r.Preview.Resources, preview.Resource{
				URN: "urn:pulumi:qa::p::" + text + "::" + text + strings.Repeat("'", i%7), Type: text, Op: order[i%4],
				Changes: []preview.Property{{Path: text, Op: preview.Update, Before: text, After: text + "\n" + text}},
			})
		}
		var out strings.Builder
		require.NoError(t, Markdown(&out, r))
		require.LessOrEqual(t, out.Len(), MaxMarkdown)
		require.Equal(t, strings.Count(out.String(), "<details>"), strings.Count(out.String(), "</details>"))
		if n == 200 && length > 1 {
			require.Regexp(t, `\*\*[0-9,]+ more changes not shown here\*\*`, out.String())
			require.Regexp(t, `\*\*[0-9,]+ more commits not shown here\*\*`, out.String())
		}
	})
}
