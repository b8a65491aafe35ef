package roster

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"yinxin/internal/fault"
)

const (
	// maxDepth is how deep the elements of a part may be nested; worksheets need about ten.
	maxDepth = 64
	// maxAttributes is how many an element may have; the root of a worksheet has about thirty.
	maxAttributes = 256
)

// scanner reads the tokens of one part. It refuses document types and what is not well formed; entities other than the
// five of XML, and encodings other than UTF-8, are refused by the decoder.
type scanner struct {
	decoder *xml.Decoder
	open    []xml.Name
	prefix  string // of the root element; elements with another prefix belong to other vocabularies
}

func scan(r io.Reader) *scanner { return &scanner{decoder: xml.NewDecoder(r), prefix: unset} }

// next gives a StartElement, an EndElement or CharData; comments and the like are passed over. At the end it gives io.EOF.
func (s *scanner) next() (xml.Token, error) {
	for {
		token, err := s.decoder.RawToken()
		if errors.Is(err, io.EOF) && len(s.open) == 0 && s.prefix != unset {
			return nil, io.EOF
		}
		if err != nil {
			return nil, asBroken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(s.open) == maxDepth || len(t.Attr) > maxAttributes || len(s.open) == 0 && s.prefix != unset {
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
	return ErrBroken.New()
}

// attr is an attribute by its local name: the library does not look at prefixes either. Two of one name are refused by
// the callers for which it matters, through once.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space != "xmlns" {
			return a.Value
		}
	}
	return ""
}

// once tells whether none of the names stands twice among the attributes: readers differ in which one they take.
func once(e xml.StartElement, names ...string) bool {
	for _, name := range names {
		n := 0
		for _, a := range e.Attr {
			if a.Name.Local == name && a.Name.Space != "xmlns" {
				n++
			}
		}
		if n > 1 {
			return false
		}
	}
	return true
}

func truth(v string) bool { return v == "1" || v == "true" || v == "on" }
