#!/usr/bin/env python3
"""Generates list.txt in this folder: `python3 make.py` (requires pip, npm and network access).

Two projects publish lists of common passwords counted in leaks; their licences are in LICENSES.txt. Only passwords of 8
to 128 characters are used. Neither list contains common Russian passwords, so this script generates them.
"""

import gzip
import hashlib
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

DJANGO = "5.2.19", "5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00"
ZXCVBN = "4.4.2", "0b3ebb60ec2df2340e1b8b70e4cb2657a3ceb192781d299310e7aceaa606cd22"

# Patterns on a Russian keyboard, and words. Suffixes make them long enough.
PATTERNS = """
йцукен йцукенг йцукенгш йцукенгшщ йцукенгшщз йцукенгшщзх йцукенгшщзхъ фывапролд фывапролдж фывапролджэ ячсмитьбю
йцукенфывапр йцукенфывапролдж йцуфывячс йфяцычувс йфяцычувскам 1й2ц3у4к 1й2ц3у4к5е 1й2ц3у4к5е6н й1ц2у3к4 й1ц2у3к4е5
ячсмить фывапрол йцуйцуйцу фывафыва ячсмячсм
""".split()
WORDS = """
пароль парольпароль мойпароль привет приветпривет здравствуй любовь любимая любимый любимка люблютебя ялюблютебя
ятебялюблю солнце солнышко зайчик котенок котёнок кошечка собака медведь волчонок тигренок дракон счастье удача
надежда вера весна лето осень зима море звезда звездочка снежинка цветочек ромашка россия москва питер спартак
динамо зенит локомотив цска футбол хоккей братишка сестренка мамочка бабушка папочка семья мама папа мамапапа
анна аня алена алёна алина анастасия настя наташа наталья марина мария маша екатерина катя катюша елена лена оксана
ольга оля светлана света татьяна таня ирина юлия юля виктория вика дарья даша ксения ксюша полина кристина
александр саша сашенька алексей леша андрей антон артем артём богдан вадим василий виктор виталий владимир вова
владислав влад дмитрий дима евгений женя иван игорь илья кирилл константин максим макс михаил миша никита николай
олег павел петр роман рома руслан сергей серега станислав степан тимур юрий ярослав
компьютер клавиатура интернет телефон админ администратор директор секрет бутылка человек ангел демон
победа свобода победитель хозяин начальник работа бухгалтер бухгалтерия
""".split()
SUFFIXES = ["", "1", "12", "123", "1234", "12345", "123456", "777"]

LATIN = dict(zip("йцукенгшщзхъфывапролджэячсмитьбюё", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"))


def fetch(folder: str, command: list[str], sha256: str) -> pathlib.Path:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (file,) = pathlib.Path(folder).iterdir()
    if hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        sys.exit(f"{file.name}: SHA-256 mismatch")
    return file


def django() -> list[str]:
    version, sha256 = DJANGO
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        file = fetch(folder, [*pip, "download", "--no-deps", f"django=={version}"], sha256)
        packed = zipfile.ZipFile(file).read("django/contrib/auth/common-passwords.txt.gz")
        return gzip.decompress(packed).decode().splitlines()


def zxcvbn() -> list[str]:
    version, sha256 = ZXCVBN
    with tempfile.TemporaryDirectory() as folder:
        file = fetch(folder, ["npm", "pack", "--silent", f"zxcvbn@{version}"], sha256)
        with tarfile.open(file) as packed:
            source = packed.extractfile("package/lib/frequency_lists.js").read().decode()
        return re.search(r'passwords: "([^"]*)"', source)[1].split(",")


def russian() -> list[str]:
    passwords = [word + end for word in WAYS + WORDS for end in ENDS]
    # Users often type a Russian password while the keyboard layout is still Latin.
    return passwords + ["".join(LATIN.get(letter, letter) for letter in password) for password in passwords]


def main() -> None:
    # Leak lists contain text that was decoded incorrectly, so only ASCII entries are used from the two lists.
    foreign = [password for password in django() + zxcvbn() if password.isascii() and password.isprintable()]
    folded = {password.lower() for password in foreign + russian()}
    # Sorted by code points, which is also the byte order of UTF-8.
    lines = sorted(password for password in folded if 8 <= len(password) <= 128)
    (pathlib.Path(__file__).parent / "list.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{len(lines)} passwords")


main()
