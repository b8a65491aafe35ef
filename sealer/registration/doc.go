// Package registration joins the paper of an application with its record: it recognises scans of stamped forms and puts
// them with their applications, makes the template of a seal from the imprints on a form, and draws the form to be
// printed. Pages, the command line and the API all go through one Desk:
//
//	desk := registration.New(registration.Config{Enroll: enroll, Business: business})
//	scan, err := desk.Scan(ctx, by, "扫描.pdf", data)                        // every page to its application
//	a, err := desk.Attach(ctx, by, ref, enroll.AttachCredit, "", data, 2)    // a page without code, by hand
//	made, err := desk.MakeTemplate(ctx, by, ref, registration.Order{})       // imprints to template
//
// It promises: pictures are decoded by few at a time (Config.Workers), since one may take hundreds of megabytes; of a file
// with many pages an application gets its own page and nothing of the others; who may do what is asked of the rooms that
// keep it, which record it.
//
// It keeps nothing itself. It stands in sealer, because ca may not know how imprints become templates.
package registration
