package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	_ "image/gif"  // pictures of seals
	_ "image/jpeg" // pictures of seals
	_ "image/png"  // pictures of seals
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"yinxin/sealer/verify"
	"yinxin/sealer/verify/sheet"
)

// view is what the templates show.
type view struct {
	Language  string
	MaxBytes  int64
	MaxMB     int64
	Problem   string
	RequestID string
	Verdict   *verdict
	Versions  *comparison
	Code      string
	Fragment  bool
	File      string
	// Certificates is set for a file of certificates.
	Certificates *certificateCards
}

type verdict struct {
	verify.Report
	Class    string // good, note, doubt, bad, none
	Title    string
	NextStep string
	Contacts []Contact
	Size     string
	At       string
	Seals    []seal
	Hidden   int // signatures that are not shown one by one
	JSON     template.URL
	JSONName string
	HTML     template.URL // the report as a document to print and keep, or empty
	HTMLName string
}

// Contact is where anyone may ask, with a link that dials.
type Contact struct {
	verify.Contact
	Dial template.URL
}

// ContactOf makes a contact of a telephone of the register.
func ContactOf(c verify.Contact) Contact {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		if r == '转' {
			return ',' // a pause, then the extension
		}
		return -1
	}, c.Telephone)
	return Contact{c, template.URL("tel:" + digits)}
}

type seal struct {
	verify.Signature
	Number   int
	Class    string
	Word     string
	Picture  template.URL // a data URL, or empty
	When     string
	Coverage string
	KindWord string
	// TimeSourceWord says how the time is known, Claimed what the signer says when another time is proved.
	TimeSourceWord, Claimed string
	State                   string // of the seal when it was used
	StateClass              string
	// AsSealedName is what the document as it was sealed is called when it is taken out of a file that goes on after it; empty
	// where it does not, and where it cannot be taken out.
	AsSealedName string
	Altered      bool // what followed was not permitted
	Steps        []step
	Tally        []count
}

type step struct {
	Class, Mark, Word, Name, Detail string
}

type count struct {
	Class, Word string
	N           int
}

const (
	// maxShown is how many signatures are shown one by one.
	maxShown = 50
	// maxPicture and maxPictures bound the bytes of pictures in one page; seals seen are 5 to 60 kB.
	maxPicture  = 1 << 20
	maxPictures = 8 << 20
	// maxReport bounds the printable report inside the page, in bytes.
	maxReport = 8 << 20
	// maxPixels bounds what a browser would have to decode.
	maxPixels = 25 << 20
)

// verdictOf is a report as it is shown; for a stored file without what is taken out of the file of whoever sends it.
func verdictOf(r *verify.Report, language string, stored bool) *verdict {
	look := sheet.LookOf(r.Verdict, language)
	v := &verdict{Report: *r, Class: look.Class, Title: look.Title, NextStep: look.Next, Size: Size(r.Size), At: sheet.Moment(r.At, language)}
	budget := maxPictures
	for i, s := range r.Signatures {
		if i == maxShown {
			v.Hidden = len(r.Signatures) - maxShown
			break
		}
		card := sealOf(s, i+1, language, &budget)
		if !stored && s.AsSealedBytes > 0 && s.AsSealedBytes < r.Size {
			card.AsSealedName = asSealedName(r.File, i+1, language)
			card.Altered = slices.ContainsFunc(s.ChangesAfter, func(c verify.Change) bool { return !c.Permitted })
		}
		v.Seals = append(v.Seals, card)
	}
	for _, s := range r.Signatures {
		if s.Contact != nil && !slices.ContainsFunc(v.Contacts, func(c Contact) bool { return c.Contact == *s.Contact }) {
			v.Contacts = append(v.Contacts, ContactOf(*s.Contact))
		}
	}
	if text, err := json.MarshalIndent(r, "", "  "); err == nil {
		v.JSON = template.URL("data:application/json;base64," + base64.StdEncoding.EncodeToString(text))
		v.JSONName = strings.TrimSuffix(r.File, path.Ext(r.File)) + ".verification.json"
	}
	var document bytes.Buffer
	if err := sheet.HTML(&document, r, language); err == nil && document.Len() <= maxReport {
		v.HTML = template.URL("data:text/html;base64," + base64.StdEncoding.EncodeToString(document.Bytes()))
		v.HTMLName = strings.TrimSuffix(r.File, path.Ext(r.File)) + ".verification.html"
	}
	return v
}

func sealOf(s verify.Signature, number int, language string, budget *int) seal {
	look := sheet.LookOf(s.Verdict, language)
	out := seal{Signature: s, Number: number, Class: look.Class, Word: look.Word, When: sheet.Moment(s.Time, language),
		TimeSourceWord: sheet.TimeSourceWord(s.TimeSource, language), Claimed: sheet.Moment(s.ClaimedTime, language),
		Coverage: sheet.CoverageWord(s.Coverage, language), KindWord: sheet.KindWord(s.Kind, language)}
	if len(s.Picture) <= *budget {
		if out.Picture = picture(s.Picture); out.Picture != "" {
			*budget -= len(s.Picture)
		}
	}
	tally := map[verify.Result]int{}
	for _, c := range s.Checks {
		r := sheet.OutcomeOf(c.Result, language)
		tally[c.Result]++
		out.Steps = append(out.Steps, step{r.Class, r.Mark, r.Word, sheet.CheckName(c.Name, language), c.Detail})
		if c.Name == verify.CheckSealState {
			out.State, out.StateClass = c.Detail, r.Class
		}
	}
	for _, r := range []verify.Result{verify.OK, verify.Note, verify.Failed, verify.Unknown, verify.NotChecked} {
		if tally[r] > 0 {
			o := sheet.OutcomeOf(r, language)
			out.Tally = append(out.Tally, count{o.Class, o.Word, tally[r]})
		}
	}
	return out
}

// asSealedName names the document as it was when the signature with that number was made.
func asSealedName(file string, number int, language string) string {
	return fmt.Sprintf(Text{"%s-盖章时的版本-%d.pdf", "%s-as-sealed-%d.pdf"}.In(language), strings.TrimSuffix(file, path.Ext(file)), number)
}

// picture makes a data URL of a picture that browsers show and that is no document of its own (SVG could be one).
func picture(data []byte) template.URL {
	if len(data) == 0 || len(data) > maxPicture {
		return ""
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > maxPixels/c.Height {
		return ""
	}
	return template.URL("data:image/" + format + ";base64," + base64.StdEncoding.EncodeToString(data))
}

// functions are what every template may call.
func functions(language string) template.FuncMap {
	return template.FuncMap{
		// t chooses the sentence in the language of the page.
		"t":        func(zh, en string) string { return Text{zh, en}.In(language) },
		"text":     func(t Text) string { return t.In(language) },
		"language": func() string { return language },
		"day":      func(t time.Time) string { return Day(t, language) },
		"minute":   Minute,
		"method":   func(m string) string { return LoginMethod(m, language) },
		"number":   Number,
		"number64": func(n int64) string { return Number(int(n)) },
		"size":     Size,
		"sum":      func(a, b int) int { return a + b },
		"inc":      func(n int) int { return n + 1 },
		// pair is one side of a comparison.
		"pair": func(label string, number int, s *side) labelled { return labelled{label, number, s} },
		// thumb is the length of a side of a page, in millimetres, as a thumbnail: some 20 dpi.
		"thumb": func(mm float64) int { return int(math.Round(mm * 20 / 25.4)) },
	}
}
