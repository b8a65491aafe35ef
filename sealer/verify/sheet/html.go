package sheet

import (
	"embed"
	"encoding/base64"
	"html/template"
	"io"

	"yinxin/sealer/verify"
)

//go:embed report.html report.css
var files embed.FS

// HTML writes a report as one HTML document in a language, "zh" or "en". Errors are those of w.
func HTML(w io.Writer, r *verify.Report, language string) error {
	style, err := files.ReadFile("report.css")
	if err != nil {
		return err
	}
	t, err := template.New("report.html").Funcs(template.FuncMap{
		"t":     func(zh, en string) string { return text{zh, en}.in(language) },
		"style": func() template.CSS { return template.CSS(style) },
		"data": func(c card) template.URL {
			return template.URL("data:image/" + c.Format + ";base64," + base64.StdEncoding.EncodeToString(c.Picture))
		},
	}).ParseFS(files, "report.html")
	if err != nil {
		return err
	}
	return t.Execute(w, contentOf(r, language))
}
