package command

import "strconv"

// reasonNames are the values of CRLReason, RFC 5280 5.3.1; 7 is not used.
var reasonNames = map[int]string{0: "未说明 unspecified", 1: "密钥泄露 keyCompromise", 2: "CA 密钥泄露 cACompromise", 3: "隶属关系变更 affiliationChanged",
	4: "已被取代 superseded", 5: "停止使用 cessationOfOperation", 6: "暂停 certificateHold", 8: "从列表移除 removeFromCRL",
	9: "权限收回 privilegeWithdrawn", 10: "属性证书签发机构泄露 aACompromise"}

// reasonName says why a certificate was revoked, with the number that stands in lists.
func reasonName(reason int) string {
	if name := reasonNames[reason]; name != "" {
		return name + " (" + strconv.Itoa(reason) + ")"
	}
	return strconv.Itoa(reason)
}
