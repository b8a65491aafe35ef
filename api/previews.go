package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/sealer"
)

// PreviewOrder is a sealing order with what is to be drawn.
type PreviewOrder struct {
	SealingOrder
	DPI  float64 `json:"dpi,omitempty" minimum:"10" maximum:"300" default:"96" doc:"Resolution of the pictures."`
	Show []int   `json:"show,omitempty" maxItems:"50" doc:"Only these pages of those that show the seal."`
}

// Preview is what a document would look like sealed.
type Preview struct {
	Size    int64         `json:"size" doc:"Bytes of the sealed document."`
	Details Details       `json:"details"`
	Pages   []PreviewPage `json:"pages" doc:"Up to 50 pages that show the seal."`
}

// PreviewPage is a page with the seal in place.
type PreviewPage struct {
	Number int    `json:"number"`
	Width  int    `json:"width_px"`
	Height int    `json:"height_px"`
	PNG    []byte `json:"png" doc:"The picture, in base64."`
}

func (s *server) previews() {
	type input struct{ Body PreviewOrder }
	type output struct{ Body Preview }
	operate(s, huma.Operation{OperationID: "preview-sealing", Method: http.MethodPost, Path: "/v1/previews", Tags: []string{"sealing"},
		Summary:     "Preview a sealing",
		Description: "Plans the order with every check of sealing and draws the pages with the seal in place. Nothing is signed, recorded or counted.",
		RequestBody: orderExamples(), Responses: s.answers(400, 401, 403, 404, 408, 413, 415, 422, 503)},
		sealUsers(), func(ctx context.Context, in *input) (*output, error) {
			o, err := in.Body.Order()
			if err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(ctx, sealTime)
			defer cancel()
			dpi := in.Body.DPI
			if dpi == 0 {
				dpi = 96
			}
			p, err := s.Sealer.Preview(ctx, actorOf(ctx), o, dpi, in.Body.Show)
			if err != nil {
				return nil, err
			}
			return &output{previewOf(p)}, nil
		})

	type one struct {
		ID string `path:"id" maxLength:"64" doc:"Identifier of the document."`
	}
	type extended struct {
		Location string `header:"Location"`
		Body     Document
	}
	operate(s, huma.Operation{OperationID: "extend-document", Method: http.MethodPost, Path: documentPath + "{id}/extensions", Tags: []string{"sealing"},
		Summary:       "Make a sealed document verifiable for long",
		Description:   "The result is a new document: certificates, revocation lists and OCSP answers for every signature, and a document time stamp over all of it. Done again, it renews the proof.",
		DefaultStatus: http.StatusCreated, Responses: s.answers(400, 401, 403, 404, 408, 413, 422, 503)},
		sealUsers(), func(ctx context.Context, in *one) (*extended, error) {
			ctx, cancel := context.WithTimeout(ctx, sealTime)
			defer cancel()
			d, err := s.Sealer.Extend(ctx, actorOf(ctx), in.ID)
			return &extended{documentPath + d.ID, documentOf(d)}, err
		})
}

func previewOf(p *sealer.Preview) Preview {
	out := Preview{Size: p.Size, Details: DetailsOf(p.Details), Pages: make([]PreviewPage, 0, len(p.Pages))}
	for _, page := range p.Pages {
		out.Pages = append(out.Pages, PreviewPage{Number: page.Number, Width: page.Picture.Width, Height: page.Picture.Height, PNG: page.Picture.PNG})
	}
	return out
}
