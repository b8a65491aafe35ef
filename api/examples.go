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

// formExample is an application as a caller begins one.
func formExample() *huma.RequestBody {
	type object = map[string]any
	return &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Examples: map[string]*huma.Example{
		"new": {Summary: "新申请, for a central seal", Value: object{"unit": "unit_k3v6m2x7", "form": object{
			"sealType": "official", "businesses": []string{"new"}, "scopes": []string{"government-network"}, "methods": []string{"central"},
			"unit":     object{"name": "云山市档案馆", "type": "institution", "creditCode": "122224005842101234", "phone": "0499-2345678", "address": "临江省云山市兰台街1号"},
			"approver": "临江省档案局", "purpose": "出具档案证明",
			"handler":   object{"name": "王五", "email": "wangwu@archive.example", "address": "临江省云山市兰台街1号"},
			"appliedOn": "2026-11-26", "seal": object{"name": "云山市档案馆", "size": object{"diameter": 42}},
			"personal": object{"handlerIdentity": "11010519491231002X", "handlerMobile": "13800000000"},
		}}},
	}}}}
}
