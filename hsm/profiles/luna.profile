# Thales Luna and Trustonic.
title = Thales Luna, Trustonic
key_type = 0x80000016
generate = 0x80000B20
curve = no
sign = 0x80000B21
input = digest
encoding = either
public = either
