# Koal. The encoding of a signature of e is not published. Alternative: of a message 0x80008101 der.
title = Koal 格尔
key_type = 0x80000004
generate = 0x80008001
curve = no
sign = 0x80008104
input = digest
encoding = either
public = either
