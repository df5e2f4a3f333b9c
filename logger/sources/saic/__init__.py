"""SAIC (MG iSmart): the cars of one account, through the cloud that the app uses, which is polled."""
