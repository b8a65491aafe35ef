// Package form is the paper form of registration, 机构印章证书申请表 (annex 1 of 吉档字〔2025〕8号): what is filled in, the
// rules of the form, the page that is printed and stamped, and the way back from a scan of it.
//
// An [Application] is one form. It is decoded from a request with [Decode], judged with [Check], and written in one fixed
// form with [Application.Public] and [Personal.Encode]: the first is what two people approve and what may be stored in
// the clear, the second is for encrypted storage alone. [Join] puts them together again.
//
//	a, err := form.Decode(body)
//	findings := form.Check(a, form.Circumstances{Today: today})
//	err = form.Draw(w, a, font)                   // the page for printing
//	pages, err := form.Recognise(ctx, scan)       // the stamped page, scanned
//	picture, err := pages[0].Cut(scan, pages[0].Both) // its two imprints, for sealer/imprint
//
// What it promises: the same application gives the same bytes and the same page; a reader of hostile bytes takes bounded
// time and memory; no error and no finding carries an identity number or a mobile number.
//
// What it does not do: it keeps nothing and knows no keys, no clock and no database. It does not judge whether an imprint
// is of wet ink, nor read the text of one: what a person saw on the original comes in as [Reading].
package form
