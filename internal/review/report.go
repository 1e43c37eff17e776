package review

import (
	"bytes"
	htmltemplate "html/template"
	"io"
	"strings"
	"text/template"
)

// executor is a template of either kind.
type executor interface {
	Execute(w io.Writer, data any) error
}

func render(t executor, m Manifest) ([]byte, error) {
	var out bytes.Buffer
	err := t.Execute(&out, m)
	return out.Bytes(), err
}

// code makes a text safe to stand between backticks in Markdown.
func code(text string) string {
	return "`" + strings.NewReplacer("`", "'", "\n", " ", "|", "\\|").Replace(text) + "`"
}

var markdownTemplate = template.Must(template.New("markdown").Funcs(template.FuncMap{"code": code}).Parse(`# Review of {{code .Environment}}

| | |
|---|---|
| product | {{code .Product}} |
| release | {{code .Release}} |
| infrastructure commit | {{code .Commit}} |
| pipeline execution | {{code .Execution}} |
| changes | {{.Summary}} |
{{if .Changes}}
| operation | resource | type | properties |
|---|---|---|---|
{{range .Changes}}| {{.Op}} | {{code .Name}} | {{code .Type}} | {{range $i, $p := .Properties}}{{if $i}}, {{end}}{{code $p}}{{end}} |
{{end}}{{else}}
Nothing changes.
{{end}}`))

var pageTemplate = htmltemplate.Must(htmltemplate.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Review of {{.Environment}}: {{.Summary}}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); overflow-wrap: anywhere }
.delete, .replace { font-weight: bold; color: #c0392b }
</style>
</head>
<body>
<h1>Review of {{.Environment}}</h1>
<p>{{.Summary}}. Approving it deploys exactly this, or nothing.</p>
<table>
<tr><th scope="row">Product</th><td>{{.Product}}</td></tr>
<tr><th scope="row">Release</th><td>{{.Release}}</td></tr>
<tr><th scope="row">Infrastructure commit</th><td>{{.Commit}}</td></tr>
<tr><th scope="row">Pipeline execution</th><td>{{.Execution}}</td></tr>
</table>
{{if .Changes}}<h2>Changes</h2>
<table>
<tr><th scope="col">Operation</th><th scope="col">Resource</th><th scope="col">Type</th><th scope="col">Properties</th></tr>
{{range .Changes}}<tr><td class="{{.Op}}">{{.Op}}</td><td>{{.Name}}</td><td>{{.Type}}</td><td>{{range $i, $p := .Properties}}{{if $i}}, {{end}}{{$p}}{{end}}</td></tr>
{{end}}</table>{{else}}<p>Nothing changes.</p>{{end}}
</body>
</html>
`))
