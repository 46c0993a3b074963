"""moto's S3 server on 127.0.0.1, with the files of a folder in a bucket: `s3_server.py PORT BUCKET FOLDER`."""

import sys
from pathlib import Path

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import main

if __name__ == "__main__":
    port, bucket, folder = sys.argv[1:]
    # Before it listens: whoever reaches it finds them, also when it was killed and started again.
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(bucket, "us-east-1")
    for file in Path(folder).iterdir():
        backend.put_object(bucket, file.name, file.read_bytes())
    main(["-H", "127.0.0.1", "-p", port])
