"""Credentials and what provides them: given, from the environment, from files, temporary ones from STS."""

from mossaic.client.credentials.assume import AssumeRole
from mossaic.client.credentials.chain import Chain, default
from mossaic.client.credentials.files import AliyunCli, Ossutil, Profile
from mossaic.client.credentials.fixed import Anonymous, Env, Static
from mossaic.client.credentials.pair import Credentials, Missing, Provider, read_credentials
from mossaic.client.credentials.sts import Sts

__all__ = [
    "AliyunCli",
    "Anonymous",
    "AssumeRole",
    "Chain",
    "Credentials",
    "Env",
    "Missing",
    "Ossutil",
    "Profile",
    "Provider",
    "Static",
    "Sts",
    "default",
    "read_credentials",
]
