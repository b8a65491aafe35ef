package pdf

// Shares says whether two documents have a section in common that was read once.
func Shares(a, b *Document) bool {
	for _, s := range a.sections {
		for _, o := range b.sections {
			if s == o {
				return true
			}
		}
	}
	return false
}
