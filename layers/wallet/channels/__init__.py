"""Where we tell others what happened: EventBridge, SNS. One Protocol for each, and the adapter that speaks to AWS."""
