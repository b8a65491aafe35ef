package agent

import "yinxin/internal/fault"

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}
