package pdf_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// everything is a request that uses all that a plan can hold.
func everything(t testing.TB) (data []byte, r pdf.SealRequest) {
	r = request(t)
	r.Placements = []pdf.Placement{{Pages: "odd", From: pdf.TopLeft, X: 10, Y: 10}, {Page: -1, From: pdf.BottomLeft, X: 9, Y: 9}}
	r.Straddle = &pdf.Straddle{Group: 2}
	r.Certify = 2
	r.Lock = &pdf.FieldLock{Action: pdf.LockExclude, Fields: []string{"申请人"}}
	return plainPages(5), r
}

func TestAnUpdateIsFinishedElsewhereWithTheSameBytes(t *testing.T) {
	data, r := everything(t)
	u := plan(t, data, r)
	form, err := u.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if len(form) > len(u.Before())+len(u.After())+4096 {
		t.Errorf("%d bytes for an update of %d: the empty contents need none", len(form), len(u.Before())+len(u.After()))
	}
	restored, err := pdf.RestoreUpdate(form)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(u.Before(), restored.Before()) || !bytes.Equal(u.After(), restored.After()) || u.ByteRange() != restored.ByteRange() ||
		u.Property() != restored.Property() || u.Field() != restored.Field() {
		t.Error("the restored update is another")
	}
	if !reflect.DeepEqual(u.Marks(), restored.Marks()) || !reflect.DeepEqual(u.Notes(), restored.Notes()) {
		t.Errorf("marks %v became %v", u.Marks(), restored.Marks())
	}
	for _, contents := range [][]byte{bytes.Repeat([]byte{0xA5, 1}, 700), {1, 2, 3}, make([]byte, r.ContentsSize)} {
		want, err1 := u.Fill(contents)
		got, err2 := restored.Fill(contents)
		if err1 != nil || err2 != nil || !bytes.Equal(want, got) {
			t.Errorf("filled with %d bytes they differ: %v, %v", len(contents), err1, err2)
		}
	}
	// A form made after filling is the same: it carries no signature.
	again, err := u.MarshalBinary()
	if err != nil || !bytes.Equal(form, again) {
		t.Errorf("the form changed: %v", err)
	}
	if _, err := restored.Fill(make([]byte, r.ContentsSize+1)); fault.CodeOf(err) != "pdf.contents-too-long" {
		t.Errorf("one byte too many: %v", err)
	}
}

func TestADamagedFormIsRefused(t *testing.T) {
	data, r := everything(t)
	form, err := plan(t, data, r).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(form); i += 97 {
		bad := bytes.Clone(form)
		bad[i] ^= 0x10
		if _, err := pdf.RestoreUpdate(bad); fault.CodeOf(err) != "pdf.bad-update" {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := pdf.RestoreUpdate(form[:i]); fault.CodeOf(err) != "pdf.bad-update" {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func TestAPlanOfEverythingIsTheSameEachTime(t *testing.T) {
	data, r := everything(t)
	first := plan(t, data, r)
	for range 5 {
		u := plan(t, data, r)
		if !bytes.Equal(first.Before(), u.Before()) || !bytes.Equal(first.After(), u.After()) {
			t.Fatal("two plans of one request differ")
		}
	}
	sealed := seal(t, data, r)
	checkSealed(t, data, sealed, 1)
	checkWithTools(t, save(t, sealed), true)
}

// FuzzRestoreUpdate: nothing that is restored makes Fill leave its bounds.
func FuzzRestoreUpdate(f *testing.F) {
	u, err := opened(f, file{objects: onePage("")}.bytes()).PlanSeal(context.Background(), request(f))
	if err != nil {
		f.Fatal(err)
	}
	form, err := u.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(form[:len(form)-32])
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := pdf.RestoreUpdate(withDigest(body))
		if err != nil {
			if fault.CodeOf(err) != "pdf.bad-update" {
				t.Fatal(err)
			}
			return
		}
		if _, err := u.Fill([]byte{1}); err != nil {
			t.Fatal(err)
		}
	})
}
