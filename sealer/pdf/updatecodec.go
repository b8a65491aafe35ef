package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strconv"
)

// An update that waits for its signature can be stored and completed elsewhere. Its form, version 1:
//
//	"YXUPD1\r\n"
//	uint32, big endian: length of the head
//	head: JSON, the fields of frozenUpdate
//	the update without the digits of /Contents
//	SHA-256 of all that
//
// The digits are zeros again when it is restored, so a form never carries a signature.
const frozenMark = "YXUPD1\r\n"

// maxFrozen bounds an update that is restored: the largest that a plan gives is far below.
const maxFrozen = 256 << 20

type frozenUpdate struct {
	Open     int64  `json:"open"`     // where '<' stands in the update
	Contents int64  `json:"contents"` // bytes reserved
	Original int64  `json:"original"` // length of the document
	Property string `json:"property"`
	Field    string `json:"field"`
	Marks    []Mark `json:"marks,omitempty"`
	Notes    []Note `json:"notes,omitempty"`
}

// MarshalBinary gives a form from which RestoreUpdate makes the update anew, in another process too.
func (u *Update) MarshalBinary() ([]byte, error) {
	head, err := json.Marshal(frozenUpdate{
		Open: int64(u.open), Contents: int64(u.shut-u.open-2) / 2, Original: u.byteRange[1] - int64(u.open),
		Property: u.property, Field: u.field, Marks: u.marks, Notes: u.notes,
	})
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(frozenMark)+4+len(head)+len(u.data)+sha256.Size)
	out = append(out, frozenMark...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(head)))
	out = append(out, head...)
	out = append(out, u.data[:u.open]...)
	out = append(out, u.data[u.shut:]...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...), nil
}

// RestoreUpdate makes an update from what MarshalBinary gave: Fill then gives the same bytes as that of the first. The
// digest in it finds damage, not forgery: the caller keeps the form where nobody else writes. Error: pdf.bad-update.
func RestoreUpdate(form []byte) (*Update, error) {
	bad := func(zh, en string) (*Update, error) { return nil, errBadUpdate.Saying(zh, en) }
	rest, ok := bytes.CutPrefix(form, []byte(frozenMark))
	if !ok || len(rest) < 4+sha256.Size || len(form) > maxFrozen {
		return bad("不是盖章增量", "not an update")
	}
	body := form[:len(form)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], form[len(body):]) {
		return bad("摘要不符", "its digest is another")
	}
	size := int64(binary.BigEndian.Uint32(rest))
	rest = rest[4 : len(rest)-sha256.Size]
	if size > int64(len(rest)) {
		return bad("头部不完整", "its head is cut off")
	}
	var head frozenUpdate
	if err := json.Unmarshal(rest[:size], &head); err != nil {
		return nil, errBadUpdate.Because(err)
	}
	rest = rest[size:]
	if head.Contents < 1 || head.Contents > maxContents || head.Open < 0 || head.Open > int64(len(rest)) ||
		head.Original < 0 || head.Original > maxFile {
		return bad("数值荒谬", "its numbers are absurd")
	}
	u := &Update{open: int(head.Open), shut: int(head.Open + 2*head.Contents + 2), property: head.Property, field: head.Field,
		marks: head.Marks, notes: head.Notes, filled: int(2 * head.Contents)}
	u.data = make([]byte, 0, len(rest)+2+int(2*head.Contents))
	u.data = append(append(u.data, rest[:u.open]...), '<')
	u.data = append(u.data[:u.shut-1], '>')
	u.data = append(u.data, rest[u.open:]...)
	end := head.Original + int64(len(u.data))
	u.byteRange = [4]int64{0, head.Original + int64(u.open), head.Original + int64(u.shut), int64(len(u.data) - u.shut)}
	if end > maxFile || u.property != propertyText(u.byteRange) || !bytes.Contains(u.data, []byte("/ByteRange"+u.property)) {
		return bad("ByteRange 不符", "its byte range is another")
	}
	return u, nil
}

// propertyText is the value of /ByteRange in fixed width.
func propertyText(r [4]int64) string {
	text := append(make([]byte, 0, PropertyLength()), "[0"...)
	for _, n := range r[1:] {
		number := strconv.AppendInt(nil, n, 10)
		for range 1 + rangeDigits - len(number) {
			text = append(text, ' ')
		}
		text = append(text, number...)
	}
	return string(append(text, ']'))
}
