//! Password hashes that the libraries of other systems created.

/// A password.
pub const STAPLE: &str = "correct horse battery staple";

/// Passwords, the number of repetitions, and the hash.
pub const VECTORS: &[(&str, usize, &str)] = &[
    // Django 5.2.19: `PBKDF2PasswordHasher` with 1,000 rounds.
    (STAPLE, 1, "pbkdf2_sha256$1000$vZKzgmNh7ptz4G8nq1vzyB$Kh0hiEmk4qRNqcDWvrNycVuSKij95qmwyj+bIa+wTS0="),
    ("пароль с пробелами", 1, "pbkdf2_sha256$1000$qoAfr7kM2FhY71tlXnL96L$5vgT6g3M6RjOIeU7NsB4/fEnzKqlIlNkQcnWKqHTMAs="),
    ("p", 1, "pbkdf2_sha256$1000$S36dkdVScXkODgntlw5JJN$CoclZijyBPZ5CTbPtjG/RAHwLXtcjF4N34rQfRo5seM="),
    ("x", 71, "pbkdf2_sha256$1000$CzBZObYTXg2q7IIatL5teU$/4W10UGLdbcFIpfQYoiQ5l8az1WyWJqIL7cQ39ld7D8="),
    ("x", 72, "pbkdf2_sha256$1000$gojqy7Wu1LW2AfD5tbf2uu$rdK8yxlrnjCbdpEG9v8FX1JfFZHkZjPHOIsB09UDQpc="),
    ("x", 73, "pbkdf2_sha256$1000$fGXn7NH822SmUK2a1SOd8r$GSg48KQYBzmvN28uzU/3IH2OsE2BYbbdWHP5ez4JbNY="),
    ("x", 128, "pbkdf2_sha256$1000$khzX545vdAlNJaDRgWFgIg$JqrTfLzyse3Ce+gjQL4qAtcXt5YBhJojJTfPSgLIbvo="),
    ("😀", 64, "pbkdf2_sha256$1000$AYa8FeoKwe6xKWThpnbAnB$d3MUAS44peXXrBKvof4gDkUahBy46yBTYyd6q/j2Jac="),
    (" padded ", 1, "pbkdf2_sha256$1000$E6fp71XA4MWM7jerzqvNxN$koC9xbhl8yLqljGXcFPz6LL/PzWwh5qJ6zp+42DT65g="),
    ("\u{301}e\u{e9}", 1, "pbkdf2_sha256$1000$5r8ecOzpDRfZONyhKHMmDg$aYZURawpYfIg1HcZl7PEzbWR59nKeph/+TJqwgdjzYw="),
    // With the default of 1,000,000 rounds; with a NUL; with SHA-1.
    (STAPLE, 1, "pbkdf2_sha256$1000000$wqKtyVMobJdn3aBSQE64Gs$vY4wQa3JRPj+p63eGRHkZPuH2J7uSU7IYurg/h3mvn0="),
    ("p\0p", 1, "pbkdf2_sha256$1000$xyn2YexIe8Lnr1y1OIZcSj$CoKmS/YgRjxcd3pZ6RV5oL87N89bNUScNU6+6IyDKgE="),
    (STAPLE, 1, "pbkdf2_sha1$1000$hjnO3zM2biHKLswV4qjKpw$Gl+nV0EkWBYgum5SipubsYeA+0I="),
    // `BCryptSHA256PasswordHasher` with 4 rounds, also with a NUL.
    (STAPLE, 1, "bcrypt_sha256$$2b$04$30stsbCb4q/E6SbultuNnOs8esEVBCzJtzluooV8qyEth/t3lP7se"),
    ("пароль с пробелами", 1, "bcrypt_sha256$$2b$04$oB/bqqt/J9Im2iMCmqOGgOQs.Is.xp6c5zTijS0zlR5XmukIa2NFW"),
    ("p", 1, "bcrypt_sha256$$2b$04$D3sRNA54FJPwaBc4l.03L.XtyydwxL15faOI/afr18JT9EFy1XIdm"),
    ("x", 71, "bcrypt_sha256$$2b$04$iVnFiwLhBswrdFp7/siksuEZL2rUTf56ppIOVdKiQahJMhATsKFRq"),
    ("x", 72, "bcrypt_sha256$$2b$04$8KizNTU8PjbziPGpod/imOc7Q5KECmLDcyVEM0PDbnpRMwNXAnJUy"),
    ("x", 73, "bcrypt_sha256$$2b$04$jpByrOylKqWOQ1eJFIuBw.zqj7SQAGGtCDzQF7UFgu9wMGtkEijqe"),
    ("x", 128, "bcrypt_sha256$$2b$04$2k.Y1cIZxxON9RQwFoiaj.gjm8lW4fgLVAULcA9ajgItGoa4eE6aS"),
    ("😀", 64, "bcrypt_sha256$$2b$04$x7FtbSZKFq50w2JDA3YPx.aUKtlzdtOg8IFV1924B0VPg2njVw3By"),
    (" padded ", 1, "bcrypt_sha256$$2b$04$16W.8ekCpK8pTgC85nCixuS924cSffGj7q6AKd2hLOS9LKvYn85pO"),
    ("\u{301}e\u{e9}", 1, "bcrypt_sha256$$2b$04$v/q3m4NUQUYWhaSdBvqjLePUdekmsErpCgXZQYdER50VMh..LXgN2"),
    ("p\0p", 1, "bcrypt_sha256$$2b$04$ctRC7CRjKYFQwtWacz2kx.K313EU6/NDOIGeU7zsuhODnRYyDe/1y"),
    // `BCryptPasswordHasher` with 4 rounds.
    (STAPLE, 1, "bcrypt$$2b$04$ifbPZS.ImUHvKY1x4gr0ROHTqhqcw320QjSmDnmSXRYygg15QcHYC"),
    ("x", 71, "bcrypt$$2b$04$RJGA8v4eo0ax7KGZCx6lV.2gkSx7nj5VIOPj40Ftt41nbyFY1UvyG"),
    ("x", 72, "bcrypt$$2b$04$VNg/jOsxeLrcfhC0Pqcyk.bkJIvyoJb33tr.Sgw3qmrMwgas/df66"),
    ("x", 73, "bcrypt$$2b$04$HuTL9cN/rP3J..zZAtwa1ecrMq4MwsEKl3nptcoYFeNe3oV03KK4i"),
    ("x", 128, "bcrypt$$2b$04$/o5TobiC/Gbp6qNexckNhugq/ZEBU/gqWmktwOcEDjmUfmpYsb5n."),
    // `Argon2PasswordHasher` with low costs, then with the defaults; with a NUL.
    (
        STAPLE,
        1,
        "argon2$argon2id$v=19$m=64,t=1,p=1$WWtzd0cxRmplaFFxcEU2NWgxbUVuNw$2ra+9oz1pdzvyHeu0idZWEGK+aTpDiWsHza9gfSdWoI",
    ),
    (
        "x",
        73,
        "argon2$argon2id$v=19$m=64,t=1,p=1$UWhYN1dsVFpvMjRFRFpVQm9XYWdTVg$QQJDmTqlqb7HfU07/yYkMLxV5wO1Wj2LRA4EeNhQsxk",
    ),
    (
        "пароль с пробелами",
        1,
        "argon2$argon2id$v=19$m=64,t=1,p=1$M3BmT3JtSEJhczhZQlh5N0ZPQ0JOMg$8FOE1HNWccHW9BV4QGlKQ5Six3PrNyK+yWiBKR1AxlU",
    ),
    (
        STAPLE,
        1,
        "argon2$argon2id$v=19$m=102400,t=2,p=8$R1dmdkZqa1lMZjBzS3BiQW96ZkxZQw$LMWwQVRScpYY5tC9PrgMWnIWr32efrlDNYe4V13BuFg",
    ),
    (
        "p\0p",
        1,
        "argon2$argon2id$v=19$m=64,t=1,p=1$MzJLYm1JV1NXVEN3bHg0RE04dWtpcg$4IPN7VVxJ6ASjaJAVK7vOhXJneek3KI8ujUFs0xZg2M",
    ),
    // `ScryptPasswordHasher` with low costs, then with the defaults; with a NUL.
    (
        STAPLE,
        1,
        "scrypt$256$bQKWvaMxyT5lckrcxqEwEs$8$2$nxCgo9fxg2wr5XHGZyL9VBGJ+IYe6vM3RhLW1aZe/5raAjWiphxFqjqlu7kyrOKNlu6N3Z5NzoWwcR27OIfI0A==",
    ),
    (
        "пароль с пробелами",
        1,
        "scrypt$256$tczbPCLCGNmcpNiiIy6Rux$8$2$EKDKGyRDZ5qMrhwDvQ3gm+YGCfvBrgs9KXFD3SY8kqcDpk+l/eOwGQ3Ea1rMbTdcmqwz+cmJ6hpQ1j1YvYjrRw==",
    ),
    (
        "p",
        1,
        "scrypt$256$bgdAvMYhrxVFmHwsDMMEKS$8$2$LdLsv7eb/vsTRhUY1WNtS75PdDbcWdpbE9aNwibxwWLGbnLfPXs85oirdz6qubZ+pkSPFcGlv0LZdye/1wgN4g==",
    ),
    (
        "x",
        71,
        "scrypt$256$Fp9IOqKOnPj1yJ5rDzoclw$8$2$Fb+OrIV/jSTxL7BBbO1rXjBx7ijylKFLm5/pjgawi67+Av2B3gBvLvVscSJlwTAHv5ilHjY2WJCWAHsKjv3cpQ==",
    ),
    (
        "x",
        72,
        "scrypt$256$SRtwAEVMEaXP3umHlF0TlO$8$2$/2JqZ+mUPg47XMOhbXcu82n3r4g4DlpVBrp4J82NwWIuStvJC/y8salcFGg1rquppUuis85+LLlG4htOq/9tzw==",
    ),
    (
        "x",
        73,
        "scrypt$256$eHuzYbJ1UUid8cLgBOq6P6$8$2$6jt7ZRzhTDVyDikwyGK1y8vO2oBYHEHyKjXhI3hMnFQhm54cj0/e166Ne3zYVYK++PEkB45XC++h0TQmz5rmpA==",
    ),
    (
        "x",
        128,
        "scrypt$256$2MgtnyuqIvUjpQeKNL5cgE$8$2$0weU1+F8+ohBGNHAZ1yDxID9hEq57ajBvZLuiXPvp/AMKEDzVtVrc5L9/re86i+F1zCYMJxu3qtOM7rMKvDK2A==",
    ),
    (
        "😀",
        64,
        "scrypt$256$RVUsQ4M3kow5hZT9MCgDxn$8$2$wSQujM1wS+H1nLdnFmTcO+dCOJCGN002V7W78MHgwwhBwszCVMklEZ/3jNa99tH251RS8/poT2GVbBx7b4pdzQ==",
    ),
    (
        " padded ",
        1,
        "scrypt$256$KxWkYlSikDV41u9wQIXXEb$8$2$pq/BFRDB3nhfg3ZQvG7/vxCbwKPFHexG5SQMVqlJX/9uNFwMf1tkjbYWh0qf+XE2DWcM0uHOilMFQklrW1Gt/Q==",
    ),
    (
        "\u{301}e\u{e9}",
        1,
        "scrypt$256$bArxS4piH7k67kfBl7Hi4f$8$2$4vlkMsJo2DuayClYjp+zJlYjdumji4NzOeb7WfJbU7nHPxCM9goQPTiKwa/KCio4lI2JurmKkE8GJ5T97aBtQw==",
    ),
    (
        STAPLE,
        1,
        "scrypt$16384$UG8MVDlLMuEbitSacIJmlB$8$5$o6Oz0nBcNFZKe1CaUrUHsY3wezvVzSBRVXYaUROLbDGpltxwWtaKVu364rpP7Hzw71Z+LE+Kz9xU6vUC8mo9Yw==",
    ),
    (
        "p\0p",
        1,
        "scrypt$256$8fdifS86aXKSNeIYK7wiUP$8$2$W3ViXMR1FhLKPmtqMrT81t+RBRitZmgDq8yHcG3Lre2wdFtpbhOLN2q/5Fu0vyAFb8WpTlroxsWOy9rQtvbPQg==",
    ),
    // Werkzeug 3.1.9: `generate_password_hash` with the method `scrypt:256:8:1`, then with the default `scrypt:32768:8:1`; with a NUL.
    (
        STAPLE,
        1,
        "scrypt:256:8:1$PrdckVL2jCpB54rs$bc67345f0e10dae2d0ba786ebd1d2c6d4c1495f7d0bc2962db4af4aced999bedb18745bcc882008f42905324dfb4040e5902633100a3b0cc8afe6b198671376f",
    ),
    (
        "пароль с пробелами",
        1,
        "scrypt:256:8:1$U89bKuITmfOLhQ3R$3b502529700e7025121c32ea8dd9ac61bab57937ff23702815c313888589c25bc427ed25c0914c4acd5b8a60c5b1e30524930434d8379d2c2888a6fdf9065269",
    ),
    (
        "p",
        1,
        "scrypt:256:8:1$oLf5cGfVZOgGok5v$4fa25097e391ff1951cef43ebf2ec957775564677303bd349864b8b2c007ac917775fee083ca2cae7312277dd683d33581385280ead09d1b0da8f79fd5cc0385",
    ),
    (
        "x",
        71,
        "scrypt:256:8:1$QXQtsijr3m6cWUf3$417697ac72c13c65bfab3a85d04148baa6d8e93cb650f11d2dba9162bd06ffd95e87df73fa3b6d6e20ca308fc807e519a4c675f494bb53a374ec3fd564323778",
    ),
    (
        "x",
        72,
        "scrypt:256:8:1$bwO13G5vPi4K5eZN$c1e4d0a4af83b1c26138948e2d344b2e5d296642e0c4b93ec928c53962786910969b6e06f0eb9d23f8c18daf54693634319533ca0c8e36ef7e79f0f44b500dad",
    ),
    (
        "x",
        73,
        "scrypt:256:8:1$KjMxi2C6vuqbw9eV$6a1732401a90bdd1abc576e950ae52900dfa67c7a2ca23e0f5806521a0c2a76cf4aafb67e5e1a0c5ffeefb2f1ebfcac25d827116cb9b28f16b6cd386976f09ed",
    ),
    (
        "x",
        128,
        "scrypt:256:8:1$vVXOABN7EFPUfp1m$3e1f5502eb334c969835952835dea2e02bc8f4d840f879ba7467ce61fe67116af01f204648cd775a2709faa25d6017c5521e1b7602c8137bec8eee4ef148d07e",
    ),
    (
        "😀",
        64,
        "scrypt:256:8:1$geoWdyFzOta1kZCC$00295603fec6c9880c43ec23be83dfd1ad750289504c97d15aa3f75156ccb6d93820e22d65f5a8d9691d6a794bdb15b7cf9b0a6b71d7b36356b90293ceefe667",
    ),
    (
        " padded ",
        1,
        "scrypt:256:8:1$LaO7xOlulI68y3kU$bee6931779e9d6b1e2c2904a8ea9f59478b79e76ded0b9890af858f84bb22bbed576da51e26a3e3bc75979554211fb49ec7eb9ff28d5db6ce942ea0acf1d7a08",
    ),
    (
        "\u{301}e\u{e9}",
        1,
        "scrypt:256:8:1$oK094nP8qegTLNNV$24c5f074ce08253a5e17697c4abe55d4d6c9ad3492d2b2f76bf01e41220f56f5fa52326b16a52c012d6052ad9d5525dfae0db7585882cd75ff32a70052534dee",
    ),
    (
        STAPLE,
        1,
        "scrypt:32768:8:1$OOLj0Z5x53D1KXG3$2174ce6966e200896989a1892cbc3d0fd6b1f98781da1f38c53c46bafe60d20c43d3e8ebe2bfd6a74fcac670708bb13eafae9b47750abbb15c2c3cdcb2f4f231",
    ),
    (
        "p\0p",
        1,
        "scrypt:256:8:1$b5hcnDxkejmHXKo2$e36a99d59cf8b10cf8b327570117eee6d4e849f09f1384374a5e449a136011d4f58fc98ffbfa480f478c4292112f721391159d7499e4e9741f91a345cfb30a2b",
    ),
    // The methods `pbkdf2:sha256:1000`, `pbkdf2:sha512:1000` and `pbkdf2:sha1:1000`, and the default `pbkdf2:sha256:1000000`.
    (STAPLE, 1, "pbkdf2:sha256:1000$6cx2K02KgsFZdYm4$564909d0d916678d637e70cff63f7dfd7273a8310900fea83cbda78546c3babb"),
    (
        "пароль с пробелами",
        1,
        "pbkdf2:sha256:1000$9AF65SrtNanvGLnn$d0c270e810d27165b82ed763beb6147446df30270d48e5266a3011374b715097",
    ),
    ("p", 1, "pbkdf2:sha256:1000$UG9cQtNKOGovanqi$41ad7618e62ccedfd4b62313386e5a2874fc18b6b428edf66d5f919de42d4cc5"),
    ("x", 71, "pbkdf2:sha256:1000$COEvwZGi2iAOWwSB$0551d6e372d2895a7d91db2f0306a76df47d14040d8fcdc2bb02d5f73070fa0d"),
    ("x", 72, "pbkdf2:sha256:1000$XKeL5FgKTBRHMpyI$9f5e548193b6f393ba6b692432f9c2d8018606652fa4f3b6e0814a3591556eaa"),
    ("x", 73, "pbkdf2:sha256:1000$35t2XnchEl1VRiY7$0fc9135b1c213a1bdf97628c84c4276643b322e3870374b1efef635b54f85508"),
    ("x", 128, "pbkdf2:sha256:1000$qJchjDJxYkSyCUSm$a5db32b4c71ad19a648f54af8625fd32aa3e9c8f1e8643eb46aa8b7177860644"),
    ("😀", 64, "pbkdf2:sha256:1000$9GtoMiBF3F3BBN9I$cac4bd1cb7a00fc7290d5f9746794c24df7a3883c782f1374e05db3e73f25c44"),
    (
        " padded ",
        1,
        "pbkdf2:sha256:1000$NOuxRkNWG1yopFeW$ccf2c6f6f76e3096d5162c9cf53d87456474f98c039f8bf855fe3601b1ddd3ba",
    ),
    (
        "\u{301}e\u{e9}",
        1,
        "pbkdf2:sha256:1000$KEo8lodSuVlKR8Sb$66960a1a9c58bcdcae517db9917444798a2d9381e30149704de58a2f149dcbe3",
    ),
    (
        STAPLE,
        1,
        "pbkdf2:sha512:1000$xY3vi0j2OPV3aTnD$d89d7611684b46e3a6ae59ff6f48a4fcbdcb5ef90f0c5701bdbea55977516560a571b3328167fb96005947b716d6abb6d80f2cdea9ef2a6cb24453f11b8d5621",
    ),
    (STAPLE, 1, "pbkdf2:sha1:1000$I0pxGSqVx0yVnyNW$fbc187068dc4d7b792df87dce0ec643199e2684e"),
    (
        STAPLE,
        1,
        "pbkdf2:sha256:1000000$jOlmo1QDnu9tm642$bb44473cbfd8ac8541ec4d3d9cc34cf9815af1694c9d7e2e85a291fb668ceaa3",
    ),
    // passlib 1.7.4: `pbkdf2_sha512.using(rounds=1000)`, with the default of 25,000 rounds, with a NUL; `pbkdf2_sha1`.
    (
        STAPLE,
        1,
        "$pbkdf2-sha512$1000$9H4vRci5d27NeW/NmRPivA$QlefoOBRtdYKq1l4qtYoB0FlAhdl.M0mgP6g0jitPcX4zvZP0Vjqdmt9.wEdK/W9v2IFqoLecWCz5KVOkwlyqw",
    ),
    (
        "пароль с пробелами",
        1,
        "$pbkdf2-sha512$1000$SYmxVmotZSwFoFRKqZUSwg$UcPs8En/LbXFhTNksRwFNhEE/.uu9UMYycBLfwqLTIpdho2tUIL19Ct8WpkV.ndPvowonvDQmGHZA/dzLin9IA",
    ),
    (
        "p",
        1,
        "$pbkdf2-sha512$1000$8h6DEILwfq9VSskZ4zwHgA$fH57JJDIvT72dV0fstSEseogf5Qz7Aby7FzNIPI9dZixP9ClnNLGprk.0BlIpOec8DXf9k5sMoYZzc7kqIAhkQ",
    ),
    (
        "x",
        71,
        "$pbkdf2-sha512$1000$2FvrnRMCQIgxhlCKUWoN4Q$MpBePODg04iAnEqJuG/7awlUkj0Yqj7v9TWzYsgzZkfqtG9o.loRapm3TpoMn6cpmQayT2s.itjMTqd58QfQdQ",
    ),
    (
        "x",
        72,
        "$pbkdf2-sha512$1000$tnYuxdhbC6GUMiYkxFirFQ$PNpbgq8Hb.C9x0G02r3Wi7yeEL74UVmQNIcRoBR07oDWVGM2rvBQdomcozoDGFBRRjJ5uZd5E8yNpr65e/AQTg",
    ),
    (
        "x",
        73,
        "$pbkdf2-sha512$1000$OMd4D6GUUkqp1XrPWcu59w$oJ6xtfuIgA08v6wBtu7dZMOECa/JdJX4ew5CgqjrUXTsdrrLL0CcZ3Zw8mTPsG.C2rgew6Hxh5Swe5.fxEy8ZQ",
    ),
    (
        "x",
        128,
        "$pbkdf2-sha512$1000$kXLuvXcuRSglpHSu9b43xg$TtRaHyGlZa4Ps9Qdt0nlP0sV2xZzBLjnK0ahZVJz5/2tQVkP3HN51UBcOhmO1hVTbzdobPOzLR5B0vz59w0Ehg",
    ),
    (
        "😀",
        64,
        "$pbkdf2-sha512$1000$oBRi7J1TCsHYW2vNGeN8Lw$CfD4zj5SAwS.aVFTE9IRt8pL/f.HcUqfqWCIF5D51r9U104YgLh/vN1OMPAmywpoZ8r1h905aBmr9e/X066Z3g",
    ),
    (
        " padded ",
        1,
        "$pbkdf2-sha512$1000$XSslBECIMaa01vofI6Q05g$.OqSxDUOzKjY5WbMVX8haRKS9a42GV84LeoshLqn3pTXlZUi7u33iQwFB5ah4Dbo33JzaRO37BxYaE5uNQNaCw",
    ),
    (
        "\u{301}e\u{e9}",
        1,
        "$pbkdf2-sha512$1000$NOZc6703JsSY8x7j/D/H.A$ViEn8E3j6bKazZL3rkXny.EtRlih0FZTz7wKBv/w7rTLSjG.RYGbR.ekIbPCDVySd854lTPAjIsgOE37R0PH3Q",
    ),
    (
        STAPLE,
        1,
        "$pbkdf2-sha512$25000$DIEwZsyZs1bqndP6nzMGIA$IX8ceL0pmnHpFflL6FBNXkBPiiCY7xfGCZRE/YJVArwrqfaFU5QtdbHGHSegXuZ72.caZUgK19mA.LmA6rYbWQ",
    ),
    (
        "p\0p",
        1,
        "$pbkdf2-sha512$1000$lfK.t5bSeq81JkSo1do7Jw$tHDfRmbf.k2Q20q5d5FyUmVYVK96a60OFP9Df1/1bNhBApMZQXa..YneHrMFwn0U9SgAyJeTYW28aMPpcV6TdA",
    ),
    (STAPLE, 1, "$pbkdf2$1000$WStFqDUmJITQ.l8LAaC0Vg$lIMp/LIq564MRw2z6Ye129Eqjz4"),
    // `scrypt.using(rounds=4)`, then with the defaults; with a NUL.
    (STAPLE, 1, "$scrypt$ln=4,r=8,p=1$AUDImTOm9L63dg6B8P7fmw$/+pxkpLnqr3u1K2ncFphL5G+XS7sokzWFRQqFyjNVL4"),
    (
        "пароль с пробелами",
        1,
        "$scrypt$ln=4,r=8,p=1$HyNkzHmv9d67914LQQgBAA$ZMPigFeGXwFLawcYuoyiWMyjGYZDBCgAbvzTvmuiKYA",
    ),
    ("p", 1, "$scrypt$ln=4,r=8,p=1$c+5dq1UqZeydcy7FuDdmjA$ngKP3qlcQcq2LrDtSbRSRUmihCtcpOQVyl96EBni/3k"),
    ("x", 71, "$scrypt$ln=4,r=8,p=1$1roXolTKGeO8d04JQYjRmg$fS8bMIuLN4QtOTBR/TUY0O/GYQVW2K6F+8BP3UfbpV8"),
    ("x", 72, "$scrypt$ln=4,r=8,p=1$9L4XQsj53/tfay1FSGmNsQ$em2wVKYtTF+Qgjx4T+gm5k/QFItrm04Hx8zFpbX0uTA"),
    ("x", 73, "$scrypt$ln=4,r=8,p=1$55xzbg2BMEYIoXQuxdjbuw$IK21dIrKLEPzEaW3OC3bkBN/3segtUWU5zk3mGT1AOo"),
    ("x", 128, "$scrypt$ln=4,r=8,p=1$3LvX2jtHqJWS8t6bs3aOMQ$U8l0fqc7GFS9oTEllQuooIcDH8P7sfmjo1lhkJborUI"),
    ("😀", 64, "$scrypt$ln=4,r=8,p=1$wxhDiJEyRijFOCcEYOz9vw$mieRZzqFFeOVW+/YAiVCetEazb2G6YxruiM+qmszq0E"),
    (" padded ", 1, "$scrypt$ln=4,r=8,p=1$8Z4T4ty7N4ZQqpUSwpjTmg$91LOQDqtSmxbPuMFm+8YjPtrwdLut1h3+RIkm8hE46I"),
    ("\u{301}e\u{e9}", 1, "$scrypt$ln=4,r=8,p=1$QahVinFO6V2L0TrH2Lu3Fg$mYY63xAUGHMpA4iQBAWkvqlg/57Syz4QpSiG9l0XjVc"),
    (STAPLE, 1, "$scrypt$ln=16,r=8,p=1$+f8fw1jrXcsZI6TUurf2Xg$8/uS1wIeQQYD+ERMqoHQJlMxdxcxF+u/ziFvJ9kwVQg"),
    ("p\0p", 1, "$scrypt$ln=4,r=8,p=1$2ltrTSnF2LuXcq71nnOOkQ$kDLf2dNkZJFtQjrSs2NPcns+M6wo7FSLt/M+Q6wd1lM"),
    // `bcrypt_sha256.using(rounds=4, version=1)`, also with a NUL.
    (STAPLE, 1, "$bcrypt-sha256$2b,4$AzJKXuN4FeURDVxjF3mGFu$UVWXMolVdmuJuX5SAQ51Np/tqNlMTpe"),
    ("пароль с пробелами", 1, "$bcrypt-sha256$2b,4$AOW1/2EfdQBzr8Th3eIFGu$/b.EUAi/yUoLqOi5XSSnyjKxGfb31a6"),
    ("p", 1, "$bcrypt-sha256$2b,4$RiqeHkJxiui0qcQgCfGFlu$wDyWOYPk4kbBnmeZE8xKoFrKca/7sd."),
    ("x", 71, "$bcrypt-sha256$2b,4$35ypAGWo9RkMC.c3A/oEyO$s.B/Uco/b2344QPVq5h9URlmhtL0hdW"),
    ("x", 72, "$bcrypt-sha256$2b,4$nT2k3RC.uIQLYPAdjb3IBe$oXQK89H9Xw0QyhBe2.Bvz4Dqxc0BRLW"),
    ("x", 73, "$bcrypt-sha256$2b,4$g1ohXBNqEuuFXp7bO/IS1u$k3fRmHf4FEWnkIA20PwMDL.0UQ8cFI6"),
    ("x", 128, "$bcrypt-sha256$2b,4$dqiLsYWrDt3JITd.tty33e$YFKtGqKB23FHtusFsiKtWatX2DnAhGu"),
    ("😀", 64, "$bcrypt-sha256$2b,4$.OF5fvk9fXLsGi9Fvqmcke$3Lb9fKz1A32vX/PyiuCKBAwf5fvKPjW"),
    (" padded ", 1, "$bcrypt-sha256$2b,4$L6yCryyfznUCBGTjpRcwqu$O6t76yncf3BQtKZrCu/pYtUa97f4oXe"),
    ("\u{301}e\u{e9}", 1, "$bcrypt-sha256$2b,4$MWsn0CioaBUpv3UgBpBKV.$ZEmUkUNAnzaDU1BU4XHRSfEFMlokD1m"),
    ("p\0p", 1, "$bcrypt-sha256$2b,4$LidXNebS2VWWY7FMz5jTHO$Dfzqxf.2bv2lRX4mdWrHuBV8uUe.iT6"),
    // hashlib of Python 3.11: `pbkdf2_hmac` with SHA-256 and a digest of 64 bytes, as Keycloak stores it.
    (
        STAPLE,
        1,
        "$pbkdf2-sha256$1000$s4HJ2XdzQf3/oEDIxTbg9w$Syd6SqTCTfv6EP9AE/aTRha/8P0hUI//.gJ1xc4g7Mu70e1LORlhkQ71jTNDz6VZVwWEnoMScvDtTZdGzV/h9A",
    ),
    (
        "x",
        73,
        "$pbkdf2-sha256$1000$D5RO7GJcLiJqG01UAXY/Vw$35T8g5uF7sdQkm3j58Y06n1AFynZjrlqDy/TP0tXprrjHOiS82WI8FI0YSnxc7M3ZKAgQiR3sSRMHQ9VXEYEYA",
    ),
    (
        "p\0p",
        1,
        "$pbkdf2-sha256$1000$83kgYGNPGT5MFcjxMfUXcQ$OQ6xu04aMfgEbLFeeUpsNy7G3u45062uM4e9ZAjj1m7fG6Kv0GqjnfnfW7ohzhWnR4aBoxmvdBSsGiV7viraKA",
    ),
];

/// The signer key of a Firebase project: the example of <https://github.com/firebase/scrypt>.
pub const SIGNER_KEY: &str = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";

/// firebase-scrypt 0.1.0 with this key, the salt separator `Bw==` and 8 rounds: passwords, the number of repetitions, the memory
/// cost, the salt and the hash.
pub const FIREBASE: &[(&str, usize, &str, &str, &str)] = &[
    (
        STAPLE,
        1,
        "4",
        "XjfBopxI6LebO10=",
        "XYPsptQIremYgq5FBJaTdAbYs4yPVnRFDmrw8S3EzTzC83Hj9zgLWAeb1IX9n9RRKDUa0eD2L9ROS41KhHVBsA==",
    ),
    (
        "пароль с пробелами",
        1,
        "4",
        "VQXplrkzMPedrOk=",
        "I4xveWZVRVE8mlicFmn/+GM0zoSteAMVZ0jPKhOunVbWk7+pDY5v+z7HJWY6lmJhxfkGh+Te4QJmz2Uj2nPCFQ==",
    ),
    (
        "p",
        1,
        "4",
        "GAMUKUGE0iZdQ44=",
        "oOVkVW7c1tJ5DjuCjRQ1X93tzQ9W36BCt8atXtQURFtRfDAm5dwuR5wQjjd+dJ9EhFATIkPDa3qfweh69v/31A==",
    ),
    (
        "x",
        71,
        "4",
        "t60uzaL11VOOHP8=",
        "VexFmdNfG6l7d0lNKesI3Kk40Uzn+nxqMpLyi40HuSPFy5e9B6rC0la3lyUjsMU+wWINelQuiC3ldRQEyvnLog==",
    ),
    (
        "x",
        72,
        "4",
        "nzyYard6z5JBWPo=",
        "3OqXmG9nSTHqmmxmWLDlM5J3h/eLqJpzm1KyWbQ1A+t+0RPozBPWZjyKaneEwx+1D8sBj/jMNRMeM0b/xzepzQ==",
    ),
    (
        "x",
        73,
        "4",
        "7M8TtcGiPADPzaQ=",
        "2UnRpng3fOlng/D95KWwfa265bc3cfIaM3rAgAK616h2FNCdKdPQIxDs/X9k83DYQYOyzbYLh592ANxSe09UvQ==",
    ),
    (
        "x",
        128,
        "4",
        "C8TrDkHRbN8otWM=",
        "zpIiJvtbVDid2Wt8UOCo67F0+Ke61nvTvFPSk/Z63/BKQTs1532mKqdqTaLJXM8QilQhuINB245WN/sTYiuCRw==",
    ),
    (
        "😀",
        64,
        "4",
        "rR0JwS85bj0+J7o=",
        "Nd8kyMmUQsi1edgvnoyCgLbO572XBJFliQMZ2kPUgXJXq8JIXiCn4LZj3rOteSLssNTapojI7QhGCHkeKm6pVg==",
    ),
    (
        " padded ",
        1,
        "4",
        "10lOj5y0CryFi0Q=",
        "eGIpWCye65hbZxjjpD7XjF357Q1SFH0aMkAFBJkvqi5C3kM7tnetzYdSikQ1ov7pKnJTClQ/lAJhXphAF0C2jQ==",
    ),
    (
        "\u{301}e\u{e9}",
        1,
        "4",
        "cAPDr3MRb4ovoXI=",
        "qNtrddoDTa39Mm5Z/997lBpYxNF3eT4Zz1YWr2QaubSzZ/sioAwx8sQA2Ug6xDLIJHb3+Ed//6SjMan73QXJqA==",
    ),
    (
        STAPLE,
        1,
        "14",
        "0dVRBQBs8WFXrCY=",
        "KLxHgWU5sfUeTEAho8lxX2mbwTHWwuHTdSVkK1ix+MBJ2GXk8h29ZA9SxSBxfrhyOY/+tw5ys0De1Q/YAcFVSw==",
    ),
    (
        "p\0p",
        1,
        "4",
        "cFq6kAJWTyQ1BWU=",
        "2kLAqUPDsqI35N9+5zFIkBUbCjtPhfLn5r8TwFBp5ZZo9BCF2xrjsm1Oe2LUf4ndX2jOzk8Ck7QeWEWJuCVtSA==",
    ),
];
