package pdf

// name reads a name; the caller saw its slash.
func (p *parser) name() (Name, error) {
	start := p.pos
	p.pos++
	t, err := p.token()
	if err != nil {
		p.pos = start
		return "", err
	}
	escaped := false
	for _, c := range t {
		if c == '#' {
			escaped = true
			break
		}
	}
	if !escaped {
		return intern(t), nil
	}
	out := make([]byte, 0, len(t))
	for i := 0; i < len(t); i++ {
		if t[i] == '#' && i+2 < len(t) {
			h, ok1 := unhex(t[i+1])
			l, ok2 := unhex(t[i+2])
			if ok1 && ok2 {
				out = append(out, h<<4|l)
				i += 2
				continue
			}
		}
		out = append(out, t[i])
	}
	return Name(out), nil
}

func unhex(c byte) (byte, bool) {
	v := hexDigits[c]
	return v - 1, v > 0
}

// intern avoids an allocation for the names that nearly every file uses.
func intern(t []byte) Name {
	switch string(t) {
	case "Type":
		return "Type"
	case "Subtype":
		return "Subtype"
	case "Length":
		return "Length"
	case "Filter":
		return "Filter"
	case "FlateDecode":
		return "FlateDecode"
	case "Page":
		return "Page"
	case "Pages":
		return "Pages"
	case "Parent":
		return "Parent"
	case "Kids":
		return "Kids"
	case "Count":
		return "Count"
	case "MediaBox":
		return "MediaBox"
	case "Resources":
		return "Resources"
	case "Contents":
		return "Contents"
	case "Font":
		return "Font"
	case "XObject":
		return "XObject"
	case "ProcSet":
		return "ProcSet"
	case "PDF":
		return "PDF"
	case "Catalog":
		return "Catalog"
	case "Size":
		return "Size"
	case "Root":
		return "Root"
	case "Info":
		return "Info"
	case "ID":
		return "ID"
	case "Prev":
		return "Prev"
	case "W":
		return "W"
	case "Index":
		return "Index"
	case "XRef":
		return "XRef"
	case "Annots":
		return "Annots"
	case "AcroForm":
		return "AcroForm"
	case "Fields":
		return "Fields"
	case "SigFlags":
		return "SigFlags"
	case "Rect":
		return "Rect"
	case "Metadata":
		return "Metadata"
	}
	return Name(t)
}
