# The encoding of a signature is not published: the self-test finds it. Alternative: of a message 0x8005000C.
title = IBM EP11
key_type = 0x80050002
generate = 0x8005000A
curve = no
sign = 0x8005000B
input = digest
encoding = either
public = either
