"""Smart: the cars of one account of the Hello smart app, through the cloud that the app uses, which is polled."""
