# The encoding of a signature is not published: the self-test finds it. Alternative: of a message 0x10004.
title = MsSince MK-1
key_type = 0x10001
generate = 0x10009
curve = no
sign = 0x10002
input = digest
encoding = either
public = either
