// Package versions sets the pages of a sealed document as they were when it was sealed beside the same pages of its later
// versions, and marks where they differ. Call [Compare].
//
// The differences are those of the pictures that a reader shows; what was changed in the file, and whether it may be, is for
// package verify to say. A page that a change names is always shown, also where nothing of it can be seen. Changes of which
// the page is not known have pages looked through from the first.
//
// What it promises: the work is bounded in pages, bytes and by the context, and what was not looked at is said. It keeps
// nothing, knows no database and no HTTP.
package versions
