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
// A region code (GB/T 2260) must belong to a province. Prefecture and county are looked up in a table of all that there
// were since 1980, and what is not in it is a doubt and no refusal (DoubtCredit, DoubtIdentity), which an
// installation can settle for regions that it names: the table ends with a
// certain year, and credit codes also name development zones. That a number is well made does not say that it was given to
// anyone.
package number
