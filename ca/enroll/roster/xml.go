package roster

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"yinxin/internal/fault"
)

// maxDepth is how deep the elements of a part may be nested; worksheets need about ten.
const maxDepth = 64

// scanner reads the tokens of one part with the offsets of their bytes, so that a part can be changed at single places
// and stays as it was everywhere else. It refuses document types and what is not well formed; entities other than the
// five of XML are refused by the decoder.
type scanner struct {
	decoder    *xml.Decoder
	open       []xml.Name
	prefix     string // of the root element; elements with another prefix belong to other vocabularies
	start, end int64  // bytes of the token last given
}

func scan(r io.Reader) *scanner { return &scanner{decoder: xml.NewDecoder(r), prefix: unset} }

// next gives a StartElement, an EndElement or CharData; comments and the like are passed over. At the end it gives io.EOF.
func (s *scanner) next() (xml.Token, error) {
	for {
		s.start = s.decoder.InputOffset()
		token, err := s.decoder.RawToken()
		s.end = s.decoder.InputOffset()
		if errors.Is(err, io.EOF) && len(s.open) == 0 && s.prefix != unset {
			return nil, io.EOF
		}
		if err != nil {
			return nil, asBroken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(s.open) == maxDepth {
				return nil, ErrBroken.New()
			}
			if len(s.open) == 0 {
				s.prefix = t.Name.Space
			}
			s.open = append(s.open, t.Name)
		case xml.EndElement:
			if len(s.open) == 0 || s.open[len(s.open)-1] != t.Name {
				return nil, ErrBroken.New()
			}
			s.open = s.open[:len(s.open)-1]
		case xml.Directive:
			return nil, ErrBroken.New()
		case xml.CharData:
		default:
			continue
		}
		return token, nil
	}
}

// unset can be no prefix: a colon never stands in one.
const unset = ":"

// own is the local name of an element of the part's vocabulary, or empty.
func (s *scanner) own(n xml.Name) string {
	if n.Space != s.prefix {
		return ""
	}
	return n.Local
}

// depth is the number of open elements, the one just started included.
func (s *scanner) depth() int { return len(s.open) }

// asBroken keeps a refusal of ours that came up through the decoder, and calls everything else broken. The decoder's own
// words are left out: they quote the document, and the document holds personal data.
func asBroken(err error) error {
	if _, ok := fault.Of(err); ok {
		return err
	}
	if syntax := (*xml.SyntaxError)(nil); errors.As(err, &syntax) {
		return ErrBroken.Because(fmt.Errorf("not well formed at line %d", syntax.Line))
	}
	return ErrBroken.Because(err)
}

// attr is an attribute without a prefix.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// prefixed is an attribute that has some prefix (r:id).
func prefixed(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space != "" && a.Name.Space != "xmlns" {
			return a.Value
		}
	}
	return ""
}

func truth(v string) bool { return v == "1" || v == "true" || v == "on" }

// unescape resolves _xHHHH_ (ECMA-376-1, 22.4.2.4 ST_Xstring), by which spreadsheets write characters that XML cannot.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if len(s)-i >= 7 && s[i] == '_' && s[i+1] == 'x' && s[i+6] == '_' {
			if v, err := strconv.ParseUint(s[i+2:i+6], 16, 16); err == nil && utf8.ValidRune(rune(v)) {
				b.WriteRune(rune(v))
				i += 7
				continue
			}
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// escape writes text into XML; what XML cannot hold becomes a blank.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r == '\'':
			b.WriteString("&apos;")
		case r < ' ' && r != '\n' && r != '\t', r == 0xFFFE, r == 0xFFFF, r == utf8.RuneError:
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
