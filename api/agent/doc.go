// Package agent is the program at a clerk's terminal: it seals with a USB Key what a server prepared (docs/terminal.md), and
// local files without a server.
//
// Open the Folder with the terminal's pairings, Pair with a server once, and Run the tasks that wait there; SealFile seals
// a local file. What a person has to be asked goes to a Desk: a terminal prompt or native dialogs.
//
// # What is promised
//
// Nothing is signed that was not checked here. The manifest must be signed by the pinned key of the server, for this terminal
// and its clerk, and in time; the prepared file must be the original of that digest plus exactly one sealing, with an empty
// signature; every field of the to-be-signed bytes must agree with it, with the seal and with the certificate on the USB Key.
// The pages that are shown are drawn from those bytes. A bare digest is never signed.
//
// A PIN reaches the USB Key once for each time that a person gave it, and no server ever. The agent connects outwards only, by
// TLS except to this machine itself, and listens nowhere. Nothing is half done: an item is sealed, or as it was.
//
// # What is not
//
// The pictures stand in a folder that only this user can read, until the list is done; who has the user's account can read
// them, and the terminal's own key.
package agent
