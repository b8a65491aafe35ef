package api

import "github.com/danielgtaylor/huma/v2"

// orderExamples are orders as callers write them, for the OpenAPI document.
func orderExamples() *huma.RequestBody {
	type order = map[string]any
	with := func(summary string, o order) *huma.Example {
		o["document"], o["seal"] = "d_4zv2c7h5q3x6k1m9r8t0w2y4b6", "29010000000017"
		return &huma.Example{Summary: summary, Value: o}
	}
	return &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Examples: map[string]*huma.Example{
		"corner": with("In the lower right corner of the last page", order{"placement": order{"page": -1, "from": "bottom-right", "x": 25, "y": 30}}),
		"keyword": with("On a word, with the date below", order{"placements": []order{{"keyword": "（盖章）", "nth": -1}},
			"lines": []string{"2026年11月26日"}}),
		"straddle": with("Over the right edge of all pages, and on the first", order{"placement": order{"page": 1, "from": "top-right", "x": 20, "y": 20},
			"straddle": order{"edge": "right"}}),
		"archival": with("An archival copy that lasts long and stays PDF/A-2 or -3", order{"profile": "cms", "certify": 1, "long_term": true,
			"placement": order{"page": -1, "from": "centre", "x": 105, "y": 60}, "reason": "与原件核对无异"}),
	}}}}
}
