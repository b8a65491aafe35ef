# Thales Luna and Trustonic. The encoding of a signature is not published: the self-test finds it. Alternative: of a message
# 0x80000B22.
title = Thales Luna, Trustonic
key_type = 0x80000016
generate = 0x80000B20
curve = no
sign = 0x80000B21
input = digest
encoding = either
public = either
