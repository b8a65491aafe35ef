package clerk

import "yinxin/api/web"

// deskWords are what the script of the desk says.
var deskWords = map[string]web.Text{
	"page": {ZH: "第", EN: "page"}, "right": {ZH: "距右", EN: "right"}, "bottom": {ZH: "距下", EN: "bottom"}, "close": {ZH: "关闭", EN: "Close"},
	"working": {ZH: "正在处理…", EN: "Working…"}, "signWords": {ZH: "（盖章）|(盖章)|盖章|（公章）|（章）", EN: "（盖章）|(盖章)|盖章|（公章）|（章）"},
	"pageNumber": {ZH: "第 {n} 页", EN: "Page {n}"}, "accept": {ZH: "请先查看并确认文件中发现的问题。", EN: "Look at what was found in the file and accept it first."},
	"many":     {ZH: "不同位置过多：相同位置的页合为一处，最多 64 处。", EN: "Too many different places: pages with the seal at the same place are one, and there are at most 64."},
	"nowhere":  {ZH: "请先选定盖章位置或骑缝章。", EN: "Say where the seal shall stand first."},
	"sure":     {ZH: "将对 1 份文件加盖『{seal}』，共 {n} 处；盖章后内容不可修改。", EN: "One document will be sealed with “{seal}” in {n} places; its content cannot be changed afterwards."},
	"straddle": {ZH: "共 {pages} 页，每 {group} 页一组，末组 {last} 页", EN: "{pages} pages, groups of {group}, the last of {last}"},
}

func wordsOf(language string) map[string]string {
	all := map[string]string{}
	for key, t := range deskWords {
		all[key] = t.In(language)
	}
	return all
}
