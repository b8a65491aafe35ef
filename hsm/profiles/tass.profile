# TASS. The encoding of a signature of e is not published: the self-test finds it. Alternative: of a message 0x80008100 der.
title = TASS 江南天安
key_type = 0x80000004
generate = 0x80008001
curve = no
sign = 0x80008000
input = digest
encoding = either
public = either
