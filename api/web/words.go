package web

// text is a sentence in both languages.
type text struct{ zh, en string }

func (t text) in(language string) string {
	if language == "en" {
		return t.en
	}
	return t.zh
}
