// Package number reads the numbers by which China knows its organisations and people, and says what is wrong with one:
//
//	err := number.CreditCode(code)                    // 统一社会信用代码, GB 32100-2015
//	bearer, err := number.Identity(text, today)       // 居民身份证号, GB 11643-1999
//	err = number.Mobile(text)                         // mobile of a mainland network
//
// The checks are strict: what they accept is the number as it is written in a certificate, without a blank. Text that
// a person typed goes through Normal or NormalMobile first. Each refusal is a fault with a code and a sentence in both
// languages; neither ever contains the number. MaskIdentity and MaskMobile give what a list may show.
//
// # What is not known here
//
// Of a region code (GB/T 2260) only the province is looked up; city and county are six digits and no more, since the
// tables change every year and an old code stays in the identity number for life. That a number is well made does not
// say that it was given to anyone.
package number
