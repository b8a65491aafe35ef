package files

// Named has objects written under a name, as on a file system that cannot do without.
func (f *Folder) Named() *Folder {
	f.unnamed = false
	return f
}

// Unnamed says whether objects are written without a name.
func (f *Folder) Unnamed() bool { return f.unnamed }
