# The encoding of a signature is not published: the self-test finds it.
title = Westone 卫士通
key_type = 0x80000001
generate = 0x80000001
curve = no
sign = 0x80000002
input = digest
encoding = either
public = either
